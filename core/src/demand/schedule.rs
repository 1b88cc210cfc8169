//! Schedules: windows of the calendar, as demands.

/// Parses a cron expression of five fields, or six with seconds first.
///
/// # Errors
/// What is wrong with it, as a fragment.
pub fn parse_cron(text: &str) -> Result<croner::Cron, String> {
    croner::parser::CronParser::new().parse(text).map_err(|why| why.to_string())
}
