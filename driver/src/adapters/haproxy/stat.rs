//! `show stat`: a line of comma-separated values a server.

use serde::Deserialize;
use tidegate_core::ServerId;

use crate::ports::{PortError, Traffic};

/// What stands of a server in it, by the names in its first line.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Row {
    pub svname: String,
    status: String,
    check_status: Option<String>,
    /// Requests that the server has now, and that wait for it alone.
    scur: u32,
    qcur: u32,
    /// How many it may have at once.
    slim: Option<u32>,
    /// Requests so far, connections to it that failed, and answers that broke.
    stot: u64,
    econ: u64,
    eresp: u64,
    hrsp_1xx: Option<u64>,
    hrsp_2xx: Option<u64>,
    hrsp_3xx: Option<u64>,
    hrsp_4xx: Option<u64>,
    hrsp_5xx: Option<u64>,
}

impl Row {
    /// As commands name it.
    pub fn name(&self, backend: &str) -> String {
        format!("{backend}/{}", self.svname)
    }

    /// `UP`, also while a check begins to fail (`UP 1/3`), or in want of a check. Not so `DRAIN`,
    /// `NOLB`, `MAINT` and `DOWN`, all with or without more behind it.
    pub fn is_routed(&self) -> bool {
        self.status == "no check" || self.status.split(' ').next() == Some("UP")
    }

    pub fn is_in_maintenance(&self) -> bool {
        self.status.starts_with("MAINT")
    }

    /// Whether it is drained and its last check went well; a star stands before one that is under
    /// way.
    pub fn has_passed(&self) -> bool {
        let last = self.check_status.as_deref().unwrap_or_default().trim_start_matches("* ");
        self.status.starts_with("DRAIN") && ["L4OK", "L6OK", "L7OK", "L7OKC"].contains(&last)
    }

    /// How many requests it may have at once; 0 for any number.
    pub fn limit(&self) -> u32 {
        self.slim.unwrap_or(0)
    }

    pub const fn in_flight(&self) -> u32 {
        self.scur.saturating_add(self.qcur)
    }

    pub fn traffic(&self, server: ServerId) -> Traffic {
        let Self { hrsp_1xx, hrsp_2xx, hrsp_3xx, hrsp_4xx, hrsp_5xx, .. } = self;
        let answers = [hrsp_1xx, hrsp_2xx, hrsp_3xx, hrsp_4xx, hrsp_5xx];
        Traffic {
            server,
            routed: self.stot,
            served: answers.into_iter().flatten().copied().fold(0, u64::saturating_add),
            failed: self.econ.saturating_add(self.eresp),
        }
    }
}

/// All servers of the answer.
pub(super) fn parse(text: &str) -> Result<Vec<Row>, PortError> {
    if !text.starts_with("# pxname,") {
        let line = text.lines().next().unwrap_or_default();
        return Err(PortError::refused(format!("HAProxy says: {line}")));
    }
    let rows = csv::Reader::from_reader(text.trim_end().as_bytes()).into_deserialize();
    let rows: Result<_, csv::Error> = rows.collect();
    rows.map_err(|why| PortError::refused(format!("HAProxy's statistics make no sense: {why}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::{config, texts};

    const HEAD: &str = "# pxname,svname,qcur,scur,slim,stot,econ,eresp,status,hrsp_1xx,hrsp_2xx,\
                        hrsp_3xx,hrsp_4xx,hrsp_5xx,last_chk\n";

    #[test]
    fn a_row_is_read_by_the_names_of_its_columns() {
        let text = format!("{HEAD}app,app1,2,5,64,90,1,2,UP 1/3,0,70,5,6,1,\"a, b\"\n\n");
        let rows = parse(&text).unwrap();
        assert_eq!((rows.len(), rows[0].in_flight(), rows[0].is_routed()), (1, 7, true));
        assert_eq!(rows[0].limit(), 64);
        let server = ServerId(1);
        let expected = Traffic { server, routed: 90, served: 82, failed: 3 };
        assert_eq!(rows[0].traffic(server), expected);
    }

    #[test]
    fn a_backend_of_plain_connections_counts_no_answers() {
        let rows = parse(&format!("{HEAD}app,app1,0,1,,9,0,0,no check,,,,,,\n")).unwrap();
        assert_eq!((rows[0].is_routed(), rows[0].traffic(ServerId(0)).served), (true, 0));
        assert_eq!(rows[0].limit(), 0);
    }

    #[test]
    fn what_is_not_up_is_not_routed() {
        for status in ["DOWN", "DOWN 1/2", "MAINT", "MAINT (via a/b)", "DRAIN", "NOLB", "UPPER", ""]
        {
            let row = Row { status: status.to_owned(), ..Row::default() };
            assert!(!row.is_routed(), "{status}");
        }
    }

    #[test]
    fn a_drained_server_has_passed_when_its_last_check_went_well() {
        let has_passed = |status: &str, check: Option<&str>| {
            let (status, check_status) = (status.to_owned(), check.map(str::to_owned));
            Row { status, check_status, ..Row::default() }.has_passed()
        };
        assert!(has_passed("DRAIN", Some("L7OK")) && has_passed("DRAIN 1/2", Some("* L4OK")));
        assert!(!has_passed("MAINT", Some("L7OK")) && !has_passed("DRAIN", Some("L7STS")));
        assert!(!has_passed("DRAIN", None) && !has_passed("DRAIN", Some("INI")));
    }

    #[test]
    fn an_answer_that_is_no_statistics_is_refused_with_its_words() {
        let why = parse("No such proxy.\n\n").unwrap_err();
        assert_eq!(why, PortError::refused("HAProxy says: No such proxy."));
        let torn = parse(&format!("{HEAD}app,app1,many,0,0,0,0,0,UP,,,,,,\n")).unwrap_err();
        assert!(torn.what.contains("make no sense"), "{torn}");
    }

    const ROWS: &str = "# pxname,svname,qcur,scur,stot,econ,eresp,status,check_status,hrsp_1xx,\
                        hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx\n\
                        app,app1,2,5,90,1,2,UP 1/3,L7OK,0,70,5,6,1\n\
                        app,app2,0,0,0,0,0,MAINT,* L4OK,,,,,\n";

    proptest! {
        #![proptest_config(config(10_000))]

        #[test]
        fn any_answer_is_read_or_refused(answer in texts(&[ROWS, "No such proxy.\n"])) {
            match parse(&answer) {
                Ok(rows) => for row in rows {
                    let traffic = row.traffic(ServerId(1));
                    prop_assert_eq!(traffic.routed, row.stot);
                    prop_assert!(row.in_flight() >= row.scur);
                    prop_assert!(!(row.is_routed() && row.is_in_maintenance()));
                    prop_assert!(!(row.is_routed() && row.has_passed()));
                },
                Err(why) => prop_assert!(why.what.starts_with("HAProxy"), "{why}"),
            }
        }
    }
}
