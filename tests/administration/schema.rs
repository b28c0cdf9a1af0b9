//! What the command reports, judged by the schema of the documents and an independent reader of schemas.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::said;
use crate::sandbox::Sandbox;

fn schema() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/countersign.schema.json")
}

/// What `jsonschema` says against a text; nothing where it is as the schema has it.
fn against(text: &str) -> Option<String> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a file");
    let judged = Command::new("jsonschema").arg("-i").arg(file.path()).arg(schema()).output();
    let judged = judged.expect("jsonschema is installed");
    (!judged.status.success()).then(|| String::from_utf8_lossy(&judged.stderr).into_owned())
}

/// The JSON that `countersign` has written with these words and this input, valid by the schema; and how it ended.
pub(crate) fn reported(sandbox: &Sandbox, words: &[&str], input: &str) -> (i32, Value) {
    let (status, text, errors) = said(&crate::with_input(sandbox, words, input));
    assert_eq!(against(&text), None, "{words:?}: {text} {errors}");
    assert!(text.ends_with('\n'), "{text}");
    (status, serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn the_schema_is_one_and_refuses_what_is_not_described() {
    let good = "{\"format\":1,\"report\":\"list\",\"users\":[],\"listed\":0,\"damaged\":0}";
    assert_eq!(against(good), None);
    for (from, to) in [
        ("\"format\":1", "\"format\":2"),
        ("\"list\"", "\"lists\""),
        ("\"listed\":0,", ""),
        ("\"listed\":0", "\"listed\":0,\"secret\":\"x\""),
        ("[]", "[{\"user\":\"alice\"}]"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(bad != good && against(&bad).is_some(), "{bad}");
    }
}

#[test]
fn every_field_of_a_status_is_in_the_interface_of_the_service() {
    let interface = include_str!("../../docs/io.countersign.varlink");
    let text = std::fs::read_to_string(schema()).expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    let types = [
        ("Status", "status"),
        ("AuthenticatorStatus", "authenticator"),
        ("KnownSourceStatus", "source"),
        ("Records", "records"),
        ("RefusedStatus", "refused"),
    ];
    for (type_name, definition) in types {
        let start = format!("type {type_name} (");
        let (_, rest) = interface.split_once(&start).unwrap_or_else(|| panic!("no {type_name}"));
        let (fields, _) = rest.split_once(')').expect("its end");
        let mut in_interface: Vec<&str> =
            fields.split(',').filter_map(|field| Some(field.split_once(':')?.0.trim())).collect();
        let described = schema["$defs"][definition]["properties"].as_object().expect("properties");
        let only_here = ["format", "report", "state"];
        let mut in_schema: Vec<&str> =
            described.keys().map(String::as_str).filter(|name| !only_here.contains(name)).collect();
        in_interface.sort_unstable();
        in_schema.sort_unstable();
        assert_eq!(in_interface, in_schema, "{type_name}");
    }
}

#[test]
fn what_explain_and_check_config_report_is_as_the_schema_has_it() {
    let sandbox = Sandbox::new();
    sandbox.configuration(
        "remember = \"12h\"\n\
         [[rule]]\nname = \"lan\"\nfrom = [\"192.0.2.0/24\"]\nthen = \"exempt\"\n\
         [[rule]]\nusers = [\"@gone\"]\nthen = \"exempt\"\n\
         [[rule]]\nservices = [\"su\"]\nwhose = \"caller\"\n\
         [[rule]]\nusers = [\"@gone\"]\nservices = [\"login\"]\nttys = [\"tty1\"]\nthen = \"enroll\"\n",
    );
    let explained = |words: &[&str]| {
        let words = [&["explain", "alice", "--json"], words].concat();
        let (status, report) = reported(&sandbox, &words, "");
        assert_eq!(status, 0, "{words:?}");
        report
    };
    let exempt = explained(&["--from", "192.0.2.7"]);
    assert_eq!((&exempt["decision"], &exempt["rule"]), (&"exempt".into(), &1.into()));
    let su = explained(&["--service", "su"]);
    assert_eq!((&su["whose"], &su["remember"]), (&"caller".into(), &43_200.into()));
    assert_eq!((&su["rules"][0]["condition"], &su["rules"][1]["fit"]), (&"from".into(), &"unknown".into()));
    let in_doubt = explained(&["--service", "login", "--tty", "tty1"]);
    assert_eq!((&in_doubt["in_doubt"], &in_doubt["decision"]), (&true.into(), &"require".into()));
    let without = explained(&["--from", "198.51.100.4"]);
    assert_eq!((without.get("rule"), &without["decision"]), (None, &"ask".into()));

    let (status, checked) = reported(&sandbox, &["check-config", "--json"], "");
    assert_eq!((status, &checked["findings"][0]["code"]), (5, &"unknown_name".into()));
    sandbox.configuration("attempt = 3\n");
    let (status, checked) = reported(&sandbox, &["check-config", "--json"], "");
    assert_eq!((status, &checked["findings"][0]["code"]), (6, &"bad_policy".into()));
    sandbox.configuration("");
    let (status, checked) = reported(&sandbox, &["check-config", "--json"], "");
    assert_eq!((status, checked["findings"].as_array().map(Vec::len)), (0, Some(0)));
}
