//! The HTML pages.

use anyhow::Result;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use std::sync::LazyLock;

/// The built-in pages. A missing value is an error.
static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in [
        ("layout.html", include_str!("../pages/layout.html")),
        ("board.html", include_str!("../pages/board.html")),
        ("board_rows.html", include_str!("../pages/board_rows.html")),
        ("phones.html", include_str!("../pages/phones.html")),
    ] {
        env.add_template(name, source)
            .expect("the built-in pages are valid; a test renders every one");
    }
    env
});

/// Renders a page or a part of one.
pub(super) fn render(name: &str, values: Value) -> Result<String> {
    Ok(PAGES.get_template(name)?.render(values)?)
}

/// A value for a page.
pub fn value<T: Serialize>(of: T) -> Value {
    Value::from(Serde(of))
}

/// Renders a page as a response.
pub fn page(name: &str, values: Value) -> Response {
    match render(name, values) {
        Ok(html) => Html(html).into_response(),
        Err(e) => {
            tracing::error!("page {name}: {e:#}");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "this page cannot be shown; see the log",
            )
                .into_response()
        }
    }
}
