//! A histogram of whole numbers with a constant relative precision, laid out as `HdrHistogram` has
//! it: bins of width one up to a power of two, and then half as many for each doubling.
//!
//! Our own for the sake of the inner loop: counting is a shift, an addition and an increment.

/// Counts of numbers in bins.
#[derive(Debug)]
pub struct Histogram {
    /// Bits of a number that tell its bin.
    bits: u32,
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Numbers of at most `bits` bits have a bin each; larger ones are told apart to one part in
    /// 2^(`bits` − 1).
    pub const fn new(bits: u32) -> Self {
        Self { bits, counts: Vec::new(), total: 0 }
    }

    /// As given to [`Self::new`].
    pub const fn bits(&self) -> u32 {
        self.bits
    }

    /// Counts a number.
    #[inline]
    pub fn add(&mut self, number: u64) {
        self.total += 1;
        let bin = self.bin(number);
        if let Some(count) = self.counts.get_mut(bin) {
            *count += 1;
        } else {
            self.grow(bin);
        }
    }

    /// Counts a number so many times.
    pub fn add_times(&mut self, count: u64, number: u64) {
        let bin = self.bin(number);
        if self.counts.len() <= bin {
            self.counts.resize(bin + 1, 0);
        }
        self.counts[bin] += count;
        self.total += count;
    }

    /// Takes in the counts of another one with as many bits.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.bits, other.bits);
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    #[cold]
    fn grow(&mut self, bin: usize) {
        self.counts.resize(bin + 1, 0);
        self.counts[bin] = 1;
    }

    /// Numbers counted.
    pub const fn len(&self) -> u64 {
        self.total
    }

    /// Whether none was counted.
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Forgets all numbers.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.total = 0;
    }

    /// The greatest number of the bin below or in which `share` of all numbers lie, at least one;
    /// zero if there are none.
    pub fn quantile(&self, share: f64) -> u64 {
        let wanted = ((share * self.total as f64).ceil() as u64).max(1);
        let mut below = 0;
        for (bin, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= wanted {
                return self.greatest(bin);
            }
        }
        0
    }

    #[inline]
    const fn bin(&self, number: u64) -> usize {
        let scale = self.scale(number);
        ((scale as usize) << (self.bits - 1)) + (number >> scale) as usize
    }

    /// Bits of `number` that do not tell its bin.
    #[inline]
    const fn scale(&self, number: u64) -> u32 {
        let least = 1 << (self.bits - 1);
        (number | least).ilog2() - (self.bits - 1)
    }

    const fn greatest(&self, bin: usize) -> u64 {
        let half = 1 << (self.bits - 1);
        let scale = (bin / half).saturating_sub(1);
        let start = (bin - scale * half) as u64;
        (start << scale) + (1 << scale) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_lies_in_a_bin_that_is_narrow_enough() {
        let histogram = Histogram::new(11);
        let numbers = (0..5_000).chain((12..63).flat_map(|bit| {
            let power = 1u64 << bit;
            [power - 1, power, power + 1, power + power / 3]
        }));
        let mut last = 0;
        for number in numbers {
            let bin = histogram.bin(number);
            let greatest = histogram.greatest(bin);
            assert!(
                greatest >= number && greatest - number <= number >> 10,
                "{number}: {greatest}"
            );
            assert_eq!(histogram.bin(greatest), bin, "{number}");
            assert!(number < 5_000 || bin >= last, "{number}");
            last = bin;
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_numbers() {
        let mut histogram = Histogram::new(8);
        assert_eq!(histogram.quantile(0.5), 0);
        for number in 1..=100 {
            histogram.add(number);
        }
        assert_eq!([0.0, 0.5, 0.95, 1.0].map(|share| histogram.quantile(share)), [1, 50, 95, 100]);
        histogram.clear();
        assert!(histogram.is_empty());
        histogram.add(1_000_000);
        assert!(histogram.quantile(0.5).abs_diff(1_000_000) < 8_000);
    }
}
