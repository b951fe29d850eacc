//! Several hundred requests as an attacker would write them, byte for byte, at the program with nothing but its
//! YAML: each is refused or harmless, and the ordinary ones among them pass.

mod addresses;
mod case;
mod framing;
mod headers;
mod hosts;
mod http2;
mod ordinary;
mod paths;
mod proxy_headers;
mod scene;
