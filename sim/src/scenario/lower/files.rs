//! Files on the shared storage.

use tidegate_core::Span;
use tidegate_core::size::Size;

use super::LONGEST;
use crate::chance::{exp, ln};
use crate::model::{Bench, Dist, Files, Phase, Place};
use crate::scenario::Fault;
use crate::scenario::file::{PhaseFile, ScenarioFile, StorageWork};

/// Files times servers of a scenario; each keeps what that server knows of that file.
const MOST: usize = 1_000_000;

pub(super) fn files(file: &ScenarioFile, benches: &[Bench]) -> Result<Option<Files>, Fault> {
    let attribute_cache = file.nfs.attribute_cache.unwrap_or(Span::from_secs(3));
    if attribute_cache > Span::from_hours(1) {
        return Err(Fault::at("nfs.attribute_cache", "must be at most 1h"));
    }
    let requests = file.request.iter().flat_map(|request| &request.phases);
    let mut phases = requests.chain(file.job.iter().flat_map(|job| &job.phases));
    let moves = |phase: &PhaseFile| {
        matches!(phase, PhaseFile::Nfs(StorageWork::Read(_) | StorageWork::Write(_)))
    };
    if !phases.any(moves) {
        return Ok(None);
    }
    let servers = 1 + usize::from(file.group.standbys.unwrap_or(1));
    let sites: usize = benches.iter().map(|bench| bench.sites as usize).sum();
    if sites * servers > MOST {
        let message = format!(
            "{sites} sites on {servers} servers are more than {MOST}: too many to read and write \
             files of each"
        );
        return Err(Fault::at("bench", message).hint("give the `nfs` phases as durations"));
    }
    Ok(Some(Files {
        sites: shares(benches, file.group.site_skew.unwrap_or(0.0)),
        linked: file.nfs.bandwidth.is_some(),
        attribute_cache,
        close_to_open: file.nfs.close_to_open.unwrap_or(true),
    }))
}

/// What each site has of its bench: ranks are dealt to the benches in turn.
fn shares(benches: &[Bench], skew: f64) -> Vec<Vec<f64>> {
    let mut shares = vec![Vec::new(); benches.len()];
    let mut rank = 0.0;
    let rounds = benches.iter().map(|bench| bench.sites).max().unwrap_or(0);
    for round in 0..rounds {
        for (shares, _) in shares.iter_mut().zip(benches).filter(|(_, bench)| bench.sites > round) {
            rank += 1.0;
            shares.push(exp(-skew * ln(rank)));
        }
    }
    shares
}

/// Reading a file: it is opened, its data are asked for, and come.
pub(super) fn read(file: &ScenarioFile, size: Size, path: &str) -> Result<Vec<Phase>, Fault> {
    let transfer = transfer(file, size, path)?;
    Ok(vec![visit(file, Place::Open), visit(file, Place::Fetch), transfer])
}

/// Writing a file: it is opened, its data go, are committed, and it is closed.
pub(super) fn write(file: &ScenarioFile, size: Size, path: &str) -> Result<Vec<Phase>, Fault> {
    let close = Phase { place: Place::Close, demand: Dist::Constant(Span::ZERO) };
    let transfer = transfer(file, size, path)?;
    Ok(vec![visit(file, Place::Open), transfer, visit(file, Place::Commit), close])
}

/// The work of the storage at each message.
pub(super) fn touch(file: &ScenarioFile) -> Span {
    file.nfs.touch.unwrap_or(Span::from_nanos(200_000))
}

fn visit(file: &ScenarioFile, place: Place) -> Phase {
    Phase { place, demand: Dist::Constant(touch(file)) }
}

fn transfer(file: &ScenarioFile, size: Size, path: &str) -> Result<Phase, Fault> {
    let takes = file.nfs.bandwidth.map_or(0, |bandwidth| {
        (u128::from(size.0) * 8_000_000_000).div_ceil(u128::from(bandwidth.0))
    });
    if takes > u128::from(LONGEST.as_nanos().cast_unsigned()) {
        return Err(Fault::at(path, "takes longer than 366 days at that bandwidth"));
    }
    let demand = Dist::Constant(Span::from_nanos(takes as i64));
    Ok(Phase { place: Place::Transfer, demand })
}
