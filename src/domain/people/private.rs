//! Text that must not end up in a log.

use std::fmt;

/// A text that names or quotes a person, such as a name or a message. `Debug` never prints it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Private(pub String);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
