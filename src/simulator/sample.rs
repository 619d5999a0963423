//! The sample weekend, and who we are at the simulated services.

use chrono_tz::Tz;

/// The sessions of the sample: two centres, twenty-three sessions.
pub(super) const SESSIONS: &str = include_str!("sample_centre.csv");
/// The centres of the sample, with their texts and rules.
pub(super) const CENTRES: [&str; 2] =
    [include_str!("birchfield.toml"), include_str!("liffey.toml")];
/// The time zone that the simulator shows and reads.
pub const ZONE: Tz = chrono_tz::Europe::London;
pub const OUR_NUMBER: &str = "+15005550006";
/// Our account at the texting service.
pub const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// The account's secret; only ever used on loopback.
pub const TOKEN: &str = "practice-only";
/// The bot's token; only ever used on loopback.
pub const BOT_TOKEN: &str = "123456:PRACTICE";
pub const BOT_USERNAME: &str = "CourtesyPracticeBot";
