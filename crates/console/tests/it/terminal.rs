//! What a person does in a terminal.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::page::Server;

#[tokio::test]
async fn a_command_is_typed_and_answered() {
    let server = Server::start().await;
    let mut page = server.open(100, 30).await;
    assert_eq!(page.message("hello").await, json!({"type":"hello","cols":100,"rows":30,"title":"Terminal"}));
    page.type_in("echo $((6*7)) $TERM\r").await;
    page.shows("42 xterm-256color").await;
}

#[tokio::test]
async fn the_shell_has_the_size_of_the_latest_page() {
    let server = Server::start().await;
    let mut page = server.open(100, 30).await;
    page.type_in("stty size\r").await;
    page.shows("30 100").await;
    page.say(&json!({"type": "resize", "cols": 71, "rows": 17})).await;
    page.type_in("stty size\r").await;
    page.shows("17 71").await;
}

#[tokio::test]
async fn the_shell_is_in_charge_of_its_terminal() {
    let server = Server::start().await;
    let mut page = server.open(80, 24).await;
    // Said by the job itself, which has the terminal by then: an earlier key would reach the shell.
    page.type_in("sh -c \"echo run''ning; exec sleep 1000\"\r").await;
    page.shows("running").await;
    page.type_in("\u{3}").await;
    page.type_in("echo inter''rupted; jobs; tty\r").await;
    page.shows("interrupted").await;
    page.shows("/dev/pts/").await;
    assert!(!page.seen.contains("no job control"), "{}", page.seen);
}

#[tokio::test]
async fn a_page_that_comes_back_finds_the_same_shell() {
    let server = Server::start().await;
    let mut page = server.open(80, 24).await;
    page.type_in("kept=yes; echo fir''st\r").await;
    page.shows("first").await;
    drop(page);
    let mut again = server.open(80, 24).await;
    assert!(again.message("replay").await["bytes"].as_u64() > Some(0));
    again.shows("first").await;
    again.type_in("echo still $kept\r").await;
    again.shows("still yes").await;
}

#[tokio::test]
async fn two_pages_see_the_same() {
    let server = Server::start().await;
    let mut one = server.open(80, 24).await;
    let mut other = server.open(80, 24).await;
    one.message("hello").await;
    other.message("hello").await;
    one.type_in("echo fo''r both\r").await;
    one.shows("for both").await;
    other.shows("for both").await;
}

#[tokio::test]
async fn a_page_that_does_not_read_stops_nobody() {
    let server = Server::start().await;
    let mut slow = server.open(80, 24).await;
    slow.message("hello").await;
    let mut page = server.open(80, 24).await;
    page.message("hello").await;
    page.type_in("head -c 20000000 /dev/zero | tr '\\0' 'x' | fold -w 70; echo do''ne\r").await;
    page.shows("done").await;
    let size = page.seen.len();
    assert!(size >= 20_000_000, "{size}");
    assert_eq!(slow.close_code().await, Some(1011));
    let mut back = server.open(80, 24).await;
    let replay = back.message("replay").await["bytes"].as_u64().expect("a number");
    assert!((1..300_000).contains(&replay), "{replay}");
}

#[tokio::test]
async fn the_end_of_the_shell_is_told_and_passed_on() {
    let server = Server::start().await;
    let mut page = server.open(80, 24).await;
    page.type_in("echo last words; exit 7\r").await;
    assert_eq!(page.message("exit").await["code"], 7);
    assert_eq!(page.close_code().await, Some(1000));
    assert!(page.seen.contains("last words"));
    let mut late = server.open(80, 24).await;
    assert_eq!(late.message("exit").await["code"], 7);
    assert_eq!(server.wait().await.code(), Some(7));
}

#[tokio::test]
async fn a_stop_ends_the_shell() {
    let server = Server::start().await;
    let mut page = server.open(80, 24).await;
    page.type_in("echo rea''dy\r").await;
    page.shows("ready").await;
    server.terminate();
    page.message("exit").await;
    assert!(server.wait().await.code().is_some());
}

#[tokio::test]
async fn hostile_frames_end_only_their_own_connection() {
    let server = Server::start().await;
    for (frame, code) in [
        (Message::text("{"), 1007),
        (Message::text(r#"{"type":"resize","cols":"x"}"#), 1007),
        (Message::text("x".repeat(5000)), 1009),
    ] {
        let mut page = server.connect().await;
        page.send(frame).await;
        assert_eq!(page.close_code().await, Some(code));
    }
    let mut page = server.open(-5, 99_999_999).await;
    page.say(&json!({"type": "unheard", "of": [1, 2]})).await;
    page.say(&json!({"type": "resize", "cols": 80, "rows": 24})).await;
    page.type_in("echo al''ive\r").await;
    page.shows("alive").await;
}

#[tokio::test]
async fn the_page_and_its_health_are_served_under_any_prefix() {
    let server = Server::start().await;
    for path in ["/", "/a/b/"] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("<!doctype html>"), "{answer}");
        assert!(answer.contains("content-security-policy: default-src 'self'"), "{answer}");
    }
    assert!(server.get("/a/health").await.ends_with("ok"));
    assert!(server.get("/nothing").await.starts_with("HTTP/1.1 404"));
    assert!(server.get("/ws").await.starts_with("HTTP/1.1 400"));
}
