//! The file of endpoints: a `DiscoveryResponse` of `ClusterLoadAssignment`s, in JSON. Whatever else
//! stands in it is kept.

use serde_json::{Map, Value};
use tidegate_core::Generation;

use crate::ports::PortError;

/// The key of an endpoint's metadata that is this adapter's own.
const OWN: &str = "tidegate";
const GENERATION: &str = "generation";

/// Whether a server is to get requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eds {
    /// It gets requests, if nothing is against it.
    Healthy,
    Draining,
    /// It gets none either, and nobody here said so.
    Other,
}

impl Eds {
    pub fn of(name: &str) -> Self {
        match name {
            "HEALTHY" | "UNKNOWN" | "DEGRADED" => Self::Healthy,
            "DRAINING" => Self::Draining,
            _ => Self::Other,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "HEALTHY",
            Self::Draining => "DRAINING",
            Self::Other => "UNHEALTHY",
        }
    }
}

/// What the file says of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub eds: Eds,
    pub weight: u32,
    /// Of the last order about it.
    pub generation: Option<Generation>,
}

/// An address as a configuration names it.
pub(super) fn named(address: &Value) -> Option<String> {
    if let Some(path) = address.pointer("/pipe/path") {
        return path.as_str().map(str::to_owned);
    }
    let socket = address.get("socket_address")?;
    let (ip, port) = (socket.get("address")?.as_str()?, socket.get("port_value")?.as_u64()?);
    Some(if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") })
}

/// The elements of a list in `value`, and where they stand.
fn elements<'a>(
    (place, value): (String, &'a Value),
    list: &'static str,
) -> impl Iterator<Item = (String, &'a Value)> {
    let elements = value.get(list).and_then(Value::as_array).into_iter().flatten();
    (0..)
        .zip(elements)
        .map(move |(index, one): (usize, _)| (format!("{place}/{list}/{index}"), one))
}

/// What is below a key, where nothing or a table is.
fn table<'a>(map: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    map.entry(key).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

fn read(endpoint: &Value) -> Option<Endpoint> {
    let weight = match endpoint.get("load_balancing_weight") {
        None => 1,
        Some(weight) => weight.as_u64()?.try_into().ok()?,
    };
    let eds = match endpoint.get("health_status") {
        None => Eds::Healthy,
        Some(status) => Eds::of(status.as_str()?),
    };
    let own = endpoint.pointer("/metadata/filter_metadata").and_then(|all| all.get(OWN));
    let generation = own.and_then(|own| own.get(GENERATION)?.as_str()?.parse().ok());
    Some(Endpoint { eds, weight, generation: generation.map(Generation) })
}

fn write(endpoint: &mut Value, next: Endpoint) -> Option<()> {
    let endpoint = endpoint.as_object_mut()?;
    if let Some(generation) = next.generation {
        let metadata = table(table(endpoint, "metadata")?, "filter_metadata")?;
        table(metadata, OWN)?.insert(GENERATION.to_owned(), generation.0.to_string().into());
    }
    endpoint.insert("health_status".to_owned(), next.eds.name().into());
    endpoint.insert("load_balancing_weight".to_owned(), next.weight.into());
    Some(())
}

/// The whole file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Endpoints(Value);

impl Endpoints {
    pub fn parse(text: &str) -> Result<Self, PortError> {
        let parsed = serde_json::from_str(text);
        parsed.map(Self).map_err(|why| {
            PortError::refused(format!("the file of endpoints is not what Envoy reads: {why}"))
        })
    }

    /// Where the one endpoint at this address stands.
    fn place(&self, address: &str) -> Result<String, PortError> {
        let all = elements((String::new(), &self.0), "resources")
            .flat_map(|resource| elements(resource, "endpoints"))
            .flat_map(|locality| elements(locality, "lb_endpoints"));
        let is_it = |(_, one): &(_, &Value)| {
            let own = one.pointer("/endpoint/address").and_then(named);
            own.as_deref() == Some(address)
        };
        let mut found = all.filter(is_it).map(|(place, _)| place);
        match (found.next(), found.next()) {
            (Some(place), None) => Ok(place),
            (None, _) => Err(PortError::refused(format!(
                "the file of endpoints has none at `{address}` in its `lb_endpoints`"
            ))),
            (Some(_), Some(_)) => Err(PortError::refused(format!(
                "the file of endpoints has more than one at `{address}`"
            ))),
        }
    }

    /// What it says of the server at this address.
    pub fn endpoint(&self, address: &str) -> Result<Endpoint, PortError> {
        let place = self.place(address)?;
        self.0.pointer(&place).and_then(read).ok_or_else(|| senseless(address))
    }

    /// The file's text, in which it says this of the server at this address.
    pub fn with(&self, address: &str, next: Endpoint) -> Result<String, PortError> {
        let place = self.place(address)?;
        let mut root = self.0.clone();
        let written = root.pointer_mut(&place).and_then(|endpoint| write(endpoint, next));
        written.ok_or_else(|| senseless(address))?;
        Ok(format!("{root:#}\n"))
    }
}

fn senseless(address: &str) -> PortError {
    PortError::refused(format!("the file of endpoints makes no sense about `{address}`"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::{config, texts};

    const FILE: &str = r#"{"version_info": "1", "resources": [{
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": "app", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": {"socket_address": {
                "address": "10.0.0.1", "port_value": 80}}}},
            {"endpoint": {"address": {"socket_address": {"address": "fd00::2", "port_value": 80}}},
                "health_status": "DRAINING", "load_balancing_weight": 7,
                "metadata": {"filter_metadata": {"tidegate": {"generation": "9"}, "a": {"b": 1}}}},
            {"endpoint": {"address": {"pipe": {"path": "/run/app"}}}, "health_status": "TIMEOUT"}
        ]}]}]}"#;

    const SERVERS: [&str; 3] = ["10.0.0.1:80", "[fd00::2]:80", "/run/app"];

    #[test]
    fn a_server_is_found_by_its_address_and_the_rest_is_kept() {
        let file = Endpoints::parse(FILE).unwrap();
        let [first, second, third] = SERVERS.map(|address| file.endpoint(address).unwrap());
        assert_eq!(first, Endpoint { eds: Eds::Healthy, weight: 1, generation: None });
        let drained = Endpoint { eds: Eds::Draining, weight: 7, generation: Some(Generation(9)) };
        assert_eq!((second, third.eds), (drained, Eds::Other));
        let next =
            Endpoint { eds: Eds::Healthy, generation: Some(Generation(u64::MAX)), ..drained };
        let changed = Endpoints::parse(&file.with(SERVERS[1], next).unwrap()).unwrap();
        assert_eq!(changed.endpoint(SERVERS[1]).unwrap(), next);
        let back = Endpoints::parse(&changed.with(SERVERS[1], drained).unwrap()).unwrap();
        assert_eq!(back, file);
    }

    #[test]
    fn a_server_that_is_not_there_once_is_told() {
        let told =
            |text: &str| Endpoints::parse(text).and_then(|file| file.endpoint("10.0.0.1:80"));
        let twice = FILE.replace("fd00::2", "10.0.0.1");
        assert!(told(&twice).unwrap_err().what.contains("more than one at `10.0.0.1:80`"));
        assert!(told("{}").unwrap_err().what.contains("none at `10.0.0.1:80`"));
        assert!(told("resources:").unwrap_err().what.contains("is not what Envoy reads"));
        let words = FILE.replace("}}}},", "}}}, \"load_balancing_weight\": \"1\"},");
        assert!(told(&words).unwrap_err().what.contains("makes no sense about `10.0.0.1:80`"));
    }

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn any_file_is_changed_as_was_asked_or_refused(text in texts(&[FILE])) {
            let Ok(file) = Endpoints::parse(&text) else { return Ok(()) };
            let next = Endpoint { eds: Eds::Draining, weight: 3, generation: Some(Generation(4)) };
            for address in SERVERS {
                if let Ok(changed) = file.with(address, next) {
                    prop_assert_eq!(Endpoints::parse(&changed)?.endpoint(address)?, next);
                }
            }
        }
    }
}
