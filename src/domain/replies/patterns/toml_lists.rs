//! Reading tables and lists from a TOML file.

use toml::{Table, Value};

/// A table of a file.
pub(crate) fn table<'a>(file: &'a Table, key: &str) -> Result<&'a Table, String> {
    file.get(key)
        .and_then(Value::as_table)
        .ok_or_else(|| format!("{key} is missing"))
}

/// A list of texts; the error names it `key`.
pub(crate) fn strings(value: &Value, key: &str) -> Result<Vec<String>, String> {
    let list = value
        .as_array()
        .ok_or_else(|| format!("{key} is not a list"))?;
    list.iter()
        .map(|entry| {
            entry
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("{key} has an entry that is not a text"))
        })
        .collect()
}

/// A list of texts that may be missing.
pub(crate) fn optional_strings(table: &Table, key: &str) -> Result<Vec<String>, String> {
    table.get(key).map_or(Ok(Vec::new()), |v| strings(v, key))
}
