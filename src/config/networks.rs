//! Networks by address and length, such as `10.0.0.0/8`.

use std::net::IpAddr;

use super::parse::list;

/// Most networks in a list: more than any chain of proxies has.
const MOST: usize = 50;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u8)>);

impl Networks {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, length)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same_start(network.to_bits().into(), address.to_bits().into(), 32, *length)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same_start(network.to_bits(), address.to_bits(), 128, *length)
            }
            _ => false,
        })
    }
}

fn same_start(a: u128, b: u128, width: u8, length: u8) -> bool {
    let rest = u32::from(width - length);
    a.checked_shr(rest).unwrap_or(0) == b.checked_shr(rest).unwrap_or(0)
}

/// A comma-separated list of addresses and networks.
pub(super) fn networks(text: &str) -> Option<Networks> {
    let network = |part: &str| {
        let (address, length) = part.split_once('/').map_or((part, None), |(a, l)| (a, Some(l)));
        let address = address.parse::<IpAddr>().ok()?.to_canonical();
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(width), |length| length.parse().ok())?;
        (length <= width).then_some((address, length))
    };
    let networks = list(text).into_iter().map(network).collect::<Option<Vec<_>>>()?;
    (networks.len() <= MOST).then_some(Networks(networks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_its_networks_and_in_no_others() {
        let known = networks("10.0.0.0/8, 192.0.2.7,2001:db8::/32").unwrap();
        for inside in ["10.255.0.1", "192.0.2.7", "::ffff:10.1.2.3", "2001:db8:ffff::1"] {
            assert!(known.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::1"] {
            assert!(!known.contain(outside.parse().unwrap()), "{outside}");
        }
        assert!(networks("0.0.0.0/0").unwrap().contain("203.0.113.9".parse().unwrap()));
        for bad in ["10.0.0.0/33", "10.0.0", "localhost", "", "::/129"] {
            assert_eq!(networks(bad), None, "{bad}");
        }
    }
}
