//! What the settings accept and refuse.

#[cfg(test)]
use super::{InvalidSettings, Settings};
use std::path::Path;

fn load(text: &str, env: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("courtesy.toml");
    std::fs::write(&path, text).unwrap();
    Settings::load(
        Some(&path),
        env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
    )
}

#[test]
fn whatsapp_is_the_same_service_with_another_sender() {
    let sms = "[sms]\naccount_sid = \"AC1\"\nauth_token = \"secret\"\nfrom = \
               \"+441\"\nmax_per_day = 7\nonly_to = [\"+447700900101\"]\n"
        .replace("+441", "+447700900001");
    let sid = format!("HX{}", "a1".repeat(16));
    let s = load(
        &format!(
            "{sms}[whatsapp]\nfrom = \"whatsapp:+447700900002\"\nrate_per_second \
                           = 3\ncontent_sid = {{ confirm_request = \"{sid}\" }}\n"
        ),
        &[],
    )
    .unwrap();
    let w = s.whatsapp.unwrap();
    assert_eq!(
        (
            w.sms.service.account_sid.as_str(),
            w.sms.service.auth_token.as_str(),
            w.sms.service.sender.as_str()
        ),
        ("AC1", "secret", "whatsapp:+447700900002")
    );
    assert_eq!(
        (w.sms.rate_per_second, w.sms.max_per_day, w.sms.only_to),
        (3, 7, vec!["+447700900101".to_owned()]),
        "a pilot list holds there too"
    );
    assert_eq!(w.content.get("", "confirm_request"), Some(sid.as_str()));
    let pl = load(
        &format!(
            "{sms}[whatsapp]\nfrom = \
                            \"whatsapp:+447700900002\"\n[whatsapp.content_sid.pl]\nsession_off \
                            = \"{sid}\"\n"
        ),
        &[],
    )
    .unwrap();
    let content = pl.whatsapp.unwrap().content;
    assert_eq!(
        (
            content.get("pl", "session_off"),
            content.get("", "session_off")
        ),
        (Some(sid.as_str()), None)
    );
    let wrong = load(
        &format!(
            "{sms}[whatsapp]\nfrom = \
             \"whatsapp:+447700900002\"\n[whatsapp.content_sid.po]\nclosure = \
             \"{sid}\"\n[whatsapp.content_sid.ga]\nclosur = \"{sid}\"\n"
        ),
        &[],
    );
    let found: Vec<String> = wrong
        .err()
        .unwrap()
        .problems
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        found.len() == 2
            && found[0].contains("Did you mean whatsapp.content_sid.ga.closure?")
            && found[1].contains("whatsapp.content_sid.po"),
        "{found:?}"
    );
    let wrong = load(
        "[whatsapp]\nfrom = \
                      \"+447700900002\"\n[whatsapp.content_sid]\nconfirm_requst = \
                      \"HX1\"\nsession_off = \"HX12\"\n",
        &[],
    )
    .err()
    .unwrap();
    let keys: Vec<_> = wrong.problems.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "whatsapp.account_sid",
            "whatsapp.auth_token",
            "whatsapp.from",
            "whatsapp.content_sid.session_off",
            "whatsapp.content_sid.confirm_requst"
        ]
    );
    assert!(
        wrong.problems[4]
            .fix
            .contains("Did you mean whatsapp.content_sid.confirm_request?"),
        "{}",
        wrong.problems[4]
    );
}

#[test]
fn every_problem_is_reported_at_once_with_its_fix() {
    let wrong = load(
        "[databse]\nurl = \"x\"\n[web]\nlisten = \"here\"\ndesk_listen = \
         \"0.0.0.0:1\"\n[sms]\nfrom = \"Birchfield\"\nrate_per_secnd = 3\nsettle_seconds = \
         -1\n[scheduler]\nscan = \"* * *\"\n",
        &[("COURTESY_LOG__FORMAT", "xml")],
    )
    .err()
    .unwrap();
    let keys: Vec<_> = wrong.problems.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "web.listen",
            "web.desk_listen",
            "sms.account_sid",
            "sms.auth_token",
            "sms.from",
            "sms.settle_seconds",
            "sms.rate_per_secnd",
            "scheduler.scan",
            "log.format",
            "databse"
        ]
    );
    let text = wrong.to_string();
    assert!(
        text.contains("Did you mean sms.rate_per_second?")
            && text.contains("Did you mean database?"),
        "{text}"
    );
}

#[test]
fn the_environment_overrides_the_file() {
    let s = load(
        "[sms]\naccount_sid = \"AC1\"\nauth_token = \"t\"\nfrom = \"+441\"\n",
        &[
            ("COURTESY_SMS__FROM", "+447700900001"),
            ("COURTESY_SMS__RATE_PER_SECOND", "0"),
            ("COURTESY_WEB__LISTEN", ":0"),
        ],
    )
    .unwrap();
    let sms = s.sms.unwrap();
    assert_eq!(
        (
            sms.rate_per_second,
            sms.service.sender.as_str(),
            s.listen.port()
        ),
        (0, "+447700900001", 0)
    );
}

#[test]
fn a_missing_named_file_is_an_error_and_a_missing_default_is_not() {
    assert!(
        Settings::load(
            Some(Path::new("/nowhere/courtesy.toml")),
            std::iter::empty()
        )
        .is_err()
    );
}
