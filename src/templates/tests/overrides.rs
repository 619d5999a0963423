//! Templates and languages from a folder.

#[cfg(test)]
use super::folder;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{Say, Speaker};
use crate::templates::{Templates, Values, sample_speaker, samples_of};

#[test]
fn a_template_with_a_missing_value_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("en")).unwrap();
    std::fs::write(
        dir.path().join("en/confirm_ack.txt"),
        "{{ centre }}: {{ other_party }} comes too",
    )
    .unwrap();
    std::fs::write(dir.path().join("en/confrim_ack.txt"), "x").unwrap();
    let problems = Templates::load(Some(dir.path())).err().unwrap();
    assert_eq!(problems.len(), 2, "both at once");
    std::fs::remove_file(dir.path().join("en/confrim_ack.txt")).unwrap();
    let problems = Templates::load(Some(dir.path())).err().unwrap();
    assert!(
        problems.len() == 1
            && problems[0].key.ends_with("confirm_ack.txt")
            && problems[0].what.contains("other_party"),
        "{}",
        problems[0]
    );
}

#[test]
fn a_centres_own_text_is_used_for_that_centre_alone() {
    let dir = folder(
        "centres/BRK/en/confirm_ack.txt",
        "{{ centre }}: lovely, until {{ day }}, {{ time }}.",
    );
    std::fs::create_dir_all(dir.path().join("centres/BRK/pl")).unwrap();
    std::fs::write(
        dir.path().join("centres/BRK/pl/stop_ack.txt"),
        "{{ centre }}: dobrze. {{ phone }}",
    )
    .unwrap();
    let templates = Templates::load(Some(dir.path())).unwrap();
    assert_eq!(templates.centres().collect::<Vec<_>>(), ["BRK"]);
    let arrival = Values::usual().arrival;
    let said = |code: &str, say: &Say, tag: &str| {
        templates
            .render(
                say,
                &Speaker {
                    centre: code.into(),
                    languages: vec!["pl".into()],
                    ..sample_speaker()
                },
                tag,
            )
            .unwrap()
            .body
    };
    assert_eq!(
        said("BRK", &Say::ConfirmAck { arrival }, "en"),
        "Birchfield: lovely, until Sat 28 Nov, 10am."
    );
    assert_eq!(
        said("LIF", &Say::ConfirmAck { arrival }, "en"),
        "Birchfield: thank you. You have confirmed Sat 28 Nov, 10am."
    );
    assert_eq!(
        said("BRK", &Say::ConfirmAck { arrival }, "pl"),
        "Birchfield: dziekujemy. Potwierdzili Panstwo wizyte: sob. 28 listopada, godz. 10:00.",
        "their language first"
    );
    assert_eq!(
        said("BRK", &Say::StopAck, "pl"),
        "Birchfield: dobrze. 020 7946 0101"
    );
    assert_ne!(
        said("LIF", &Say::StopAck, "pl"),
        "Birchfield: dobrze. 020 7946 0101"
    );
}

#[test]
fn a_language_that_a_speaker_has_checked_needs_no_switch_and_may_carry_money() {
    let about = include_str!("../../../message-templates/pl/language.toml");
    let money =
        "{{ centre }}: w sprawie wizyty {{ day }}. Prosze zaplacic {{ amount }}. {{ phone }}";
    let dir = folder("pl/fee_notice.txt", money);
    let fee = samples_of(MessageKind::FeeNotice, &Values::usual()).remove(0);
    let polish = Speaker {
        languages: vec!["pl".into()],
        ..sample_speaker()
    };
    let templates = Templates::load(Some(dir.path())).unwrap();
    assert_eq!(
        templates.render(&fee, &polish, "pl").unwrap().language,
        "en",
        "a draft carries no money"
    );
    assert!(
        templates
            .idle()
            .eq([dir.path().join("pl/fee_notice.txt").display().to_string()])
    );
    std::fs::write(
        dir.path().join("pl/language.toml"),
        about.replace("checked_by = \"\"", "checked_by = \"A. Nowak\""),
    )
    .unwrap();
    let templates = Templates::load(Some(dir.path())).unwrap();
    let text = templates.render(&fee, &sample_speaker(), "pl").unwrap();
    assert_eq!(
        (text.language, text.body.as_str()),
        (
            "pl",
            "Birchfield: w sprawie wizyty sob. 28 listopada. Prosze zaplacic £45. 020 7946 0101"
        )
    );
    assert_eq!(templates.idle().count(), 0);
    // What the texts ask for must be understood.
    for (broken, part) in [
        (
            about.replace("yes = \"TAK\"", "yes = \"OWSZEM\""),
            "would not be understood as a YES",
        ),
        (
            about.replace("no = \"NIE\"", "no = \"TAK\""),
            "would not be understood as a NO",
        ),
        (about.replace("\"wt.\", ", ""), "it has 6 names"),
        (
            about.replace("checked_by", "chekced_by"),
            "Did you mean checked_by?",
        ),
    ] {
        std::fs::write(dir.path().join("pl/language.toml"), broken).unwrap();
        let problems = Templates::load(Some(dir.path())).err().unwrap();
        assert!(
            problems
                .iter()
                .any(|p| p.to_string().contains(part) && p.key.contains("pl/language.toml")),
            "{problems:?}"
        );
    }
    for (file, part) in [
        ("po/help.txt", "Did you mean"),
        ("centres/BRK/p/help.txt", "Did you mean pl?"),
        ("centres/BRK/en/hepl.txt", "no such kind"),
    ] {
        let problems = Templates::load(Some(folder(file, "x").path()))
            .err()
            .unwrap();
        assert!(
            problems.len() == 1 && problems[0].to_string().contains(part),
            "{problems:?}"
        );
    }
}
