//! What a person looks at: the window's size, colours and motion as the system prefers them, keys, and a
//! picture of the page.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::chromium::Chromium;
use super::process::eventually;
use super::small_png::write_small;

/// Light or dark, by the system's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub const BOTH: [Self; 2] = [Self::Light, Self::Dark];

    fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Chromium {
    /// Makes the page's part of the window `width` by `height` CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub async fn prefer(&self, scheme: Scheme) {
        self.prefer_all(&[("prefers-color-scheme", scheme.word())]).await;
    }

    /// Media features as a system with these settings has them; all others as usual.
    pub async fn prefer_all(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Presses and lets go of one key, wherever the focus is.
    pub async fn key(&self, key: Key) {
        self.type_keys(&String::from(char::from(key))).await;
    }

    /// Types where the focus is.
    pub async fn type_keys(&self, text: &str) {
        let keys = text.chars().fold(KeyActions::new("keyboard".to_owned()), |keys, value| {
            keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.page.perform_actions(keys).await.expect("keys are pressed");
    }

    /// What `script` returns on the page in front.
    pub async fn ask(&self, script: &str) -> Value {
        self.page.execute(script, Vec::new()).await.unwrap_or_else(|failure| panic!("{script}: {failure}"))
    }

    /// The whole page as it looks now, as PNG.
    pub async fn picture(&self, file: &Path) {
        self.hide_scrollbars().await;
        std::fs::write(file, self.drawn().await).expect("written");
    }

    /// The same in few colours, no higher than what is on the page.
    pub async fn small_picture(&self, width: u32, file: &Path) {
        self.hide_scrollbars().await;
        self.resize(width, 1).await;
        write_small(&self.drawn().await, file);
    }

    /// One beside the page would be cut off with a part of it.
    async fn hide_scrollbars(&self) {
        self.devtools("Emulation.setScrollbarsHidden", json!({"hidden": true})).await;
    }

    async fn drawn(&self) -> Vec<u8> {
        // Nothing is wide while a page is being replaced.
        let size = eventually("a page to draw", async || {
            let told = self.devtools("Page.getLayoutMetrics", json!({})).await;
            let size = told["cssContentSize"].clone();
            size["width"].as_f64().is_some_and(|width| width > 0.0).then_some(size)
        })
        .await;
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let shot = self.devtools("Page.captureScreenshot", wanted).await;
        STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64")
    }
}
