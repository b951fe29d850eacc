//! pingora's message heads as `web` sees them.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};
use pingora::http::{RequestHeader, ResponseHeader};

use crate::web::head::{Headers, RequestHead, ResponseHead};

/// pingora refuses only names that are not tokens, and these are header names already.
const TYPED: &str = "a header name is a token";

impl Headers for RequestHeader {
    fn map(&self) -> &HeaderMap {
        &self.headers
    }
    fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        self.insert_header(name, value).expect(TYPED);
    }
    fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.append_header(name, value).expect(TYPED);
    }
    fn remove(&mut self, name: &HeaderName) {
        self.remove_header(name);
    }
}

impl RequestHead for RequestHeader {
    fn method(&self) -> &Method {
        &self.method
    }
    fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl Headers for ResponseHeader {
    fn map(&self) -> &HeaderMap {
        &self.headers
    }
    fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        self.insert_header(name, value).expect(TYPED);
    }
    fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.append_header(name, value).expect(TYPED);
    }
    fn remove(&mut self, name: &HeaderName) {
        self.remove_header(name);
    }
}

impl ResponseHead for ResponseHeader {
    fn status(&self) -> StatusCode {
        self.status
    }
    fn set_status(&mut self, status: StatusCode) {
        ResponseHeader::set_status(self, status).expect("a status code is one");
    }
}
