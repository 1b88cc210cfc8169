//! A fleet: many groups that are alike but for their size, their load and its time.

use std::sync::Arc;

use tidegate_core::{GroupConfig, Span};

use super::{Exam, Hardware, Load, Model, Open, Piece};

/// Many groups under one provider.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The groups, in the order of their numbers.
    pub groups: Vec<Group>,
    /// Sizes that groups have.
    pub sizes: Vec<Size>,
}

/// One group of a fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Factor on the scenario's load.
    pub scale: f64,
    /// By how much later its load comes; what would come after the end comes at the start.
    pub shift: Span,
    /// Position in [`Fleet::sizes`].
    pub size: usize,
}

/// Servers of a group.
#[derive(Clone, Debug)]
pub struct Size {
    /// Name of the primary's plan.
    pub plan: String,
    /// What the controller is given.
    pub group: GroupConfig,
    /// The servers, the primary first.
    pub servers: Vec<Hardware>,
    /// The bigger plan that the bill is compared with.
    pub upgrade: Option<Hardware>,
}

impl Fleet {
    /// The model of group `index`, where `model` is that of the whole scenario.
    pub fn model_of(&self, model: &Model, index: usize) -> Model {
        let group = &self.groups[index];
        let size = &self.sizes[group.size];
        let load = |load: &Load| match load {
            Load::Open(open) => Load::Open(open_of(open, group, model.duration)),
            Load::Exam(exam) => Load::Exam(Exam {
                users: (f64::from(exam.users) * group.scale).round() as u32,
                opens: exam.opens + group.shift,
                ..exam.clone()
            }),
        };
        Model {
            name: group.name.clone(),
            seed: model.seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            group: size.group.clone(),
            servers: size.servers.clone(),
            upgrade: size.upgrade.clone(),
            loads: model.loads.iter().map(load).collect(),
            expectations: Vec::new(),
            fleet: None,
            ..model.clone()
        }
    }
}

fn open_of(open: &Open, group: &Group, duration: Span) -> Open {
    let pieces = if group.shift.is_zero() {
        Arc::clone(&open.pieces)
    } else {
        shifted(&open.pieces, group.shift, duration).into()
    };
    Open { pieces, scale: open.scale * group.scale, ..open.clone() }
}

/// What lies past the end of the run comes at its start.
fn shifted(pieces: &[Piece], shift: Span, duration: Span) -> Vec<Piece> {
    let shift = Span::from_nanos(shift.as_nanos() % duration.as_nanos().max(1));
    let turn = duration - shift;
    let cut = |from: Span, to: Span, by: i64| {
        pieces.iter().filter_map(move |piece| {
            let (begin, end) = (piece.from.max(from), piece.to.min(to));
            let moved = |at: Span| Span::from_nanos(at.as_nanos() + by);
            (begin < end).then(|| Piece {
                from: moved(begin),
                to: moved(end),
                rate_from: rate_at(piece, begin),
                rate_to: rate_at(piece, end),
            })
        })
    };
    let early = cut(turn, duration, -turn.as_nanos());
    early.chain(cut(Span::ZERO, turn, shift.as_nanos())).collect()
}

fn rate_at(piece: &Piece, at: Span) -> f64 {
    let share = (at - piece.from).as_secs_f64() / (piece.to - piece.from).as_secs_f64();
    piece.rate_from + (piece.rate_to - piece.rate_from) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_load_begins_with_its_own_end() {
        let hour = Span::from_hours;
        let pieces = [
            Piece { from: hour(0), to: hour(4), rate_from: 0.0, rate_to: 4.0 },
            Piece { from: hour(4), to: hour(9), rate_from: 7.0, rate_to: 7.0 },
        ];
        let shifted = shifted(&pieces, hour(3), hour(6));
        let expected = [
            Piece { from: hour(0), to: hour(1), rate_from: 3.0, rate_to: 4.0 },
            Piece { from: hour(1), to: hour(3), rate_from: 7.0, rate_to: 7.0 },
            Piece { from: hour(3), to: hour(6), rate_from: 0.0, rate_to: 3.0 },
        ];
        assert_eq!(shifted, expected);
    }
}
