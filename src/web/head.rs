//! Message heads that can be read and changed, whatever library holds them.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};

/// The header lines of a message.
pub trait Headers: Send {
    fn map(&self) -> &HeaderMap;
    /// Replaces every line of that name by one.
    fn insert(&mut self, name: HeaderName, value: HeaderValue);
    /// Adds a line.
    fn append(&mut self, name: HeaderName, value: HeaderValue);
    /// Removes every line of that name.
    fn remove(&mut self, name: &HeaderName);
}

impl Headers for HeaderMap {
    fn map(&self) -> &HeaderMap {
        self
    }
    fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        HeaderMap::insert(self, name, value);
    }
    fn append(&mut self, name: HeaderName, value: HeaderValue) {
        HeaderMap::append(self, name, value);
    }
    fn remove(&mut self, name: &HeaderName) {
        HeaderMap::remove(self, name);
    }
}

/// A request's head.
pub trait RequestHead: Headers {
    fn method(&self) -> &Method;
    fn uri(&self) -> &Uri;
}

/// A response's head, proxied or our own.
pub trait ResponseHead: Headers {
    fn status(&self) -> StatusCode;
    fn set_status(&mut self, status: StatusCode);
}

impl<B: Send> Headers for http::Request<B> {
    fn map(&self) -> &HeaderMap {
        self.headers()
    }
    fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers_mut().insert(name, value);
    }
    fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers_mut().append(name, value);
    }
    fn remove(&mut self, name: &HeaderName) {
        self.headers_mut().remove(name);
    }
}

impl<B: Send> RequestHead for http::Request<B> {
    fn method(&self) -> &Method {
        http::Request::method(self)
    }
    fn uri(&self) -> &Uri {
        http::Request::uri(self)
    }
}

impl<B: Send> Headers for http::Response<B> {
    fn map(&self) -> &HeaderMap {
        self.headers()
    }
    fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers_mut().insert(name, value);
    }
    fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers_mut().append(name, value);
    }
    fn remove(&mut self, name: &HeaderName) {
        self.headers_mut().remove(name);
    }
}

impl<B: Send> ResponseHead for http::Response<B> {
    fn status(&self) -> StatusCode {
        http::Response::status(self)
    }
    fn set_status(&mut self, status: StatusCode) {
        *self.status_mut() = status;
    }
}
