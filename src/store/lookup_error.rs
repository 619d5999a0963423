//! Why a case or party that a person named could not be used.

/// Why a name led to nothing. Each sentence is for the person who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// Nothing has that name.
    #[error("{0}")]
    NotFound(String),
    /// It is not written as such a name, or several have it.
    #[error("{0}")]
    Unclear(String),
}
