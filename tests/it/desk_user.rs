//! Somebody who works at the sandbox's desk through its API, as the web client would.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use mintgate::net::{Client, Egress, Timeouts};
use mintgate::web::call::HttpCall;
use serde_json::{Value, json};

const LIMIT: usize = 1 << 20;

/// A client that may only call `url`.
pub fn http_to(url: &str) -> Arc<dyn HttpCall> {
    let egress = Egress::only([url]).expect("an origin");
    Arc::new(Client::new(tokio::runtime::Handle::current(), egress, Timeouts::default()).expect("a client"))
}

pub struct DeskUser {
    http: Arc<dyn HttpCall>,
    url: String,
    token: String,
}

impl DeskUser {
    pub async fn sign_in(url: &str, (email, password): (&str, &str)) -> Self {
        let mut user = Self { http: http_to(url), url: url.to_owned(), token: String::new() };
        let reply = user.call("POST", "/auth/login", &json!({"email": email, "password": password})).await;
        user.token = reply["token"].as_str().expect("a token").to_owned();
        user
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Calls `path` below the API; the answer must be a 200.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api/v1{path}", self.url))
            .header("user-agent", "a browser")
            .header("authorization", format!("Bearer {}", self.token));
        let mut bytes = Bytes::new();
        if !body.is_null() {
            request = request.header("content-type", "application/json");
            bytes = Bytes::from(body.to_string());
        }
        let request = request.body(bytes).expect("a request");
        let reply = self.http.call(request, LIMIT).await.expect("an answer");
        let text = String::from_utf8_lossy(reply.body());
        assert_eq!(reply.status(), StatusCode::OK, "{method} {path}: {text}");
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    pub async fn comment(&self, ticket: &str, text: &str, public: bool) {
        self.call("POST", "/ticket/comment", &json!({"id": ticket, "text": text, "public": public})).await;
    }

    pub async fn close(&self, ticket: &str) {
        self.call("PUT", "/ticket/status/update", &json!({"id": ticket, "status": true})).await;
    }

    /// Sets or removes the desk's own SMTP provider.
    pub async fn set_provider(&self, is_set: bool) {
        if is_set {
            let settings = json!({"host": "127.0.0.1", "active": true, "port": "15025", "reply": "helpdesk@example.com",
                "username": "u", "password": "p", "serviceType": "other"});
            self.call("PUT", "/config/email", &settings).await;
        } else {
            self.call("DELETE", "/config/email", &Value::Null).await;
        }
    }

    /// Adds an e-mail queue of the desk's own.
    pub async fn add_queue(&self) {
        let queue = json!({"name": "q", "username": "u", "password": "p", "hostname": "127.0.0.1", "tls": false,
            "serviceType": "other"});
        self.call("POST", "/email-queue/create", &queue).await;
    }

    pub async fn remove_queues(&self) {
        let all = self.call("GET", "/email-queues/all", &Value::Null).await;
        for queue in all["queues"].as_array().expect("a list") {
            self.call("DELETE", "/email-queue/delete", &json!({"id": queue["id"]})).await;
        }
    }
}
