//! Bad input, told once, with its place and what to do.

use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};
use tidegate_driver::config::ConfigError;
use tidegate_sim::scenario::ScenarioError;

use crate::print;

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Refusal {
    message: String,
    hint: Option<String>,
    source_text: Option<NamedSource<String>>,
    span: Option<std::ops::Range<usize>>,
}

impl Diagnostic for Refusal {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source_text.as_ref().map(|text| text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::at(span, "here"))))
    }
}

/// Prints why a scenario is refused; the exit code for bad input.
pub(crate) fn scenario(error: ScenarioError) -> ExitCode {
    let message = error.to_string();
    let placed = error.span.is_some();
    let source_text = placed.then(|| NamedSource::new(error.file, error.text));
    refuse(Refusal { message, hint: error.hint, source_text, span: error.span })
}

/// Prints why a live configuration is refused; the exit code for bad input.
pub(crate) fn config(file: &str, text: String, error: ConfigError) -> ExitCode {
    let ConfigError { span, message, hint } = error;
    let message = format!("{file}: {message}");
    let source_text = span.is_some().then(|| NamedSource::new(file, text));
    refuse(Refusal { message, hint: hint.map(str::to_owned), source_text, span })
}

/// Prints why an option is refused, and what to do.
pub(crate) fn option(what: &str, hint: &str) -> ExitCode {
    let (message, hint) = (what.to_owned(), Some(hint.to_owned()));
    refuse(Refusal { message, hint, source_text: None, span: None })
}

fn refuse(refusal: Refusal) -> ExitCode {
    print::complaint(&format!("{:?}", Report::new(refusal)));
    ExitCode::from(2)
}

/// Prints any other refusal, with each cause after what it caused.
pub(crate) fn plain(what: &str, why: &dyn Error) -> ExitCode {
    complain(what.to_owned(), Some(why));
    ExitCode::from(2)
}

/// Prints why a live host cannot go on, with each cause; the exit code for that.
pub(crate) fn fault(why: &dyn Error) -> ExitCode {
    complain(why.to_string(), why.source());
    ExitCode::from(3)
}

fn complain(what: String, why: Option<&dyn Error>) {
    let causes = std::iter::successors(why, |&cause| cause.source());
    let message = causes.fold(what, |message, cause| format!("{message}: {cause}"));
    print::complaint(&format!("error: {message}"));
}
