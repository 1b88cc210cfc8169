//! Certificates by an authority that only one folder knows.

use std::path::Path;
use std::process::Command;

const REQUEST: &str = "[req]\ndistinguished_name = dn\n[dn]\n\
    [ca]\nbasicConstraints = critical, CA:TRUE\n\
    [own]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost\n";

/// Makes an authority `ca` and a certificate `own` for `localhost`, each with its key beside it.
/// `openssl` is the program, which runs as whoever is to read the keys.
pub fn make(folder: &Path, openssl: impl Fn() -> Command) {
    std::fs::write(folder.join("request"), REQUEST).unwrap();
    for (name, signed) in [("ca", &[][..]), ("own", &["-CA", "ca", "-CAkey", "ca.key"])] {
        let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
            -days 2 -config request";
        let mut command = openssl();
        command.current_dir(folder).args(words.split_whitespace()).args(signed);
        command.args(["-subj", &format!("/CN=tidegate-test-{name}"), "-extensions", name]);
        command.args(["-keyout", &format!("{name}.key"), "-out", name]);
        let made = command.output().unwrap_or_else(|why| {
            panic!("failed to run `openssl` ({why}): `cargo xtask test` installs it")
        });
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}
