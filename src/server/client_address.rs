//! Whose request it is, as far as the network tells: the address of the client, through the proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// Who opened the connection. The listener puts it among a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. `X-Forwarded-For` is read from its right end, where the nearest proxy wrote, and only as long
/// as whoever wrote an entry is trusted: everything left of that may have been made up by the client.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = peer.to_canonical();
    // Several headers are as good as one that joins them.
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        let Ok(value) = value.to_str() else {
            return client;
        };
        for entry in value.rsplit(',') {
            if !is_trusted(client) {
                return client;
            }
            let Some(address) = address_of(entry.trim()) else {
                return client;
            };
            client = address;
        }
    }
    client
}

/// Some proxies write the port too.
fn address_of(entry: &str) -> Option<IpAddr> {
    entry
        .parse::<IpAddr>()
        .or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let own = ["10.0.0.0/8", "192.168.1.1/32", "fd00::/8"];
        let cases: &[(&str, &[&str], &[&str], &str)] = &[
            // Nobody is trusted: the header is noise.
            ("203.0.113.9", &[], &[], "203.0.113.9"),
            ("203.0.113.9", &["1.2.3.4"], &[], "203.0.113.9"),
            ("127.0.0.1", &["1.2.3.4"], &[], "127.0.0.1"),
            // Forged by a client that is connected directly.
            ("203.0.113.9", &["10.0.0.1"], &own, "203.0.113.9"),
            ("203.0.113.9", &["127.0.0.1, 10.0.0.1"], &own, "203.0.113.9"),
            // One proxy, and what the client put before its entry.
            ("10.0.0.1", &["198.51.100.7"], &own, "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7"], &own, "198.51.100.7"),
            ("10.0.0.1", &["10.9.9.9,198.51.100.7"], &own, "198.51.100.7"),
            (
                "10.0.0.1",
                &["1.1.1.1", "198.51.100.7"],
                &own,
                "198.51.100.7",
            ),
            // Two proxies.
            (
                "10.0.0.1",
                &["198.51.100.7, 192.168.1.1"],
                &own,
                "198.51.100.7",
            ),
            (
                "10.0.0.1",
                &["6.6.6.6, 198.51.100.7 ,\t192.168.1.1"],
                &own,
                "198.51.100.7",
            ),
            // All are ours: the farthest.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &own, "10.0.0.3"),
            // What cannot be read ends the walk at the last that could.
            ("10.0.0.1", &["198.51.100.7, nonsense"], &own, "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7, "], &own, "10.0.0.1"),
            ("10.0.0.1", &[""], &own, "10.0.0.1"),
            (
                "10.0.0.1",
                &["198.51.100.7, unknown, 10.0.0.2"],
                &own,
                "10.0.0.2",
            ),
            ("10.0.0.1", &["198.51.100.7, 10.0.0.256"], &own, "10.0.0.1"),
            // Without a proxy's entry the proxy itself is the client.
            ("10.0.0.1", &[], &own, "10.0.0.1"),
            // Ports, IPv6, and IPv4 in IPv6.
            ("10.0.0.1", &["198.51.100.7:5123"], &own, "198.51.100.7"),
            ("fd00::1", &["2001:db8::7"], &own, "2001:db8::7"),
            ("fd00::1", &["[2001:db8::7]:443"], &own, "2001:db8::7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], &own, "198.51.100.7"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], &own, "198.51.100.7"),
            ("::ffff:203.0.113.9", &["1.2.3.4"], &own, "203.0.113.9"),
        ];
        for (peer, values, trusted, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(
                    FORWARDED_FOR,
                    HeaderValue::from_str(value).expect("a value"),
                );
            }
            let trusted: Vec<IpNet> = trusted
                .iter()
                .map(|network| network.parse().expect("a network"))
                .collect();
            let found = client_address(peer.parse().expect("an address"), &headers, &trusted);
            assert_eq!(found.to_string(), *expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_end_the_walk() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, HeaderValue::from_static("1.2.3.4"));
        headers.append(
            FORWARDED_FOR,
            HeaderValue::from_bytes(b"\xff\xfe").expect("a value"),
        );
        let trusted = ["0.0.0.0/0".parse().expect("a network")];
        let peer = "10.0.0.1".parse().expect("an address");
        assert_eq!(client_address(peer, &headers, &trusted), peer);
    }
}
