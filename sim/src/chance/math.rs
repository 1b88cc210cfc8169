//! Logarithm, exponential and the normal quantile from + − × ÷ and square roots alone.
//!
//! The platform's own functions differ in the last bit from machine to machine; these give the same
//! bits everywhere. They have no branch where it counts, so a compiler makes vectors of a batch.

use std::f64::consts::{LN_2, LOG2_E};

const MANTISSA_BITS: u32 = 52;
/// The bits of √½, below which a mantissa is doubled.
const HALF_ROOT_BITS: u64 = 0x3FE6_A09E_667F_3BCD;
/// 2⁵², whose last mantissa bit is worth one: adding it turns a small integer into a float.
const INTEGER_BITS: u64 = 0x4330_0000_0000_0000;

/// The natural logarithm of a positive, normal number; relative error below 10⁻¹⁵.
///
/// With x = 2ᵏ·m and m within √½ to √2: ln x = k·ln 2 + 2·artanh((m − 1) ÷ (m + 1)).
#[inline]
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let shifted = bits.wrapping_sub(HALF_ROOT_BITS).wrapping_add(1 << (MANTISSA_BITS + 10));
    let biased = shifted >> MANTISSA_BITS;
    let k = f64::from_bits(INTEGER_BITS | biased) - (f64::from_bits(INTEGER_BITS) + 1_024.0);
    let m = f64::from_bits(bits.wrapping_sub(biased.wrapping_sub(1_024) << MANTISSA_BITS));
    let t = (m - 1.0) / (m + 1.0);
    let square = t * t;
    let mut series = 1.0 / 21.0;
    for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series * square + 1.0 / odd;
    }
    k * LN_2 + (2.0 * t + 2.0 * t * square * series)
}

/// The exponential of a number within ±700; beyond it is that of the nearest end.
#[inline]
pub fn exp(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = x.clamp(-700.0, 700.0);
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut series = 0.0;
    for factorial in FACTORIALS {
        series = series * r + 1.0 / factorial;
    }
    let scale = shifted.to_bits().wrapping_add(1_023) << MANTISSA_BITS;
    series * f64::from_bits(scale)
}

/// From 13! down to 0!.
const FACTORIALS: [f64; 14] = [
    6_227_020_800.0,
    479_001_600.0,
    39_916_800.0,
    3_628_800.0,
    362_880.0,
    40_320.0,
    5_040.0,
    720.0,
    120.0,
    24.0,
    6.0,
    2.0,
    1.0,
    1.0,
];

/// The value that a standard normal variate stays below with probability `p` of (0, 1].
///
/// Wichura (1988), algorithm AS 241, PPND16: relative error about 10⁻¹⁶. A `p` of one counts as
/// the greatest number below it.
#[inline]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(r, &CENTRE) / polynomial(r, &CENTRE_BELOW);
    }
    let tail = if q < 0.0 { p } else { (1.0 - p).max(f64::EPSILON / 2.0) };
    let r = (-ln(tail)).sqrt();
    let value = if r <= 5.0 {
        polynomial(r - 1.6, &MIDDLE) / polynomial(r - 1.6, &MIDDLE_BELOW)
    } else {
        polynomial(r - 5.0, &FAR) / polynomial(r - 5.0, &FAR_BELOW)
    };
    if q < 0.0 { -value } else { value }
}

#[inline]
fn polynomial(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRE: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_BELOW: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_659_7e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_854e3,
];
const MIDDLE: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_BELOW: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_BELOW: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers spread over many magnitudes.
    fn spread() -> impl Iterator<Item = f64> {
        (0..200_000).map(|index| f64::from(index).mul_add(0.000_7, -70.0)).map(libm::exp)
    }

    #[test]
    fn logarithm_and_exponential_agree_with_the_library() {
        for x in spread() {
            let (ours, theirs) = (ln(x), libm::log(x));
            assert!((ours - theirs).abs() <= 4e-16 * theirs.abs().max(1.0), "{x}: {ours} {theirs}");
            let (ours, theirs) = (exp(theirs), libm::exp(theirs));
            assert!((ours - theirs).abs() <= 1e-15 * theirs, "{x}: {ours} {theirs}");
        }
        assert_eq!(ln(1.0).to_bits(), 0.0f64.to_bits());
        assert!((ln(f64::EPSILON / 2.0) + 53.0 * LN_2).abs() < 1e-14);
    }

    #[test]
    fn the_quantile_inverts_the_normal_distribution() {
        for step in 1..100_000 {
            let p = f64::from(step) / 100_000.0;
            let back = 0.5 * libm::erfc(-normal_quantile(p) / std::f64::consts::SQRT_2);
            assert!((back - p).abs() <= 2e-15, "{p}: {back}");
        }
        for p in [1e-9, 1e-13, 1e-16] {
            let back = 0.5 * libm::erfc(-normal_quantile(p) / std::f64::consts::SQRT_2);
            assert!((back / p - 1.0).abs() < 1e-12, "{p}: {back}");
        }
        assert!((normal_quantile(1.0) - 8.2).abs() < 0.1, "{}", normal_quantile(1.0));
    }
}
