//! What a workload must not see, keep or use up.

use std::time::{Duration, Instant};

use portico_core::{
    app::{Listen, Mount, MountMode, Network},
    ports::{Follow, InstanceStatus, SpawnError, Spawner},
    workload::Exit,
};
use portico_spawn::{local::Config, probe};

use super::place::Place;
use crate::conformance::{Deed, Fixture, Steps, answers, app, end, grace, launch, serve_entry, status, text};

#[tokio::test]
async fn a_workload_sees_its_workspace_and_nothing_of_the_host() {
    let place = Place::new();
    let secret = place.data().join("portico.db");
    std::fs::write(&secret, "hidden").expect("written");
    let script = format!(
        "pwd; echo mine > $HOME/file; ls /; ls -A /home /root /var /run /srv /opt 2>&1; cat {} /etc/shadow",
        secret.display()
    );
    let said = place.output(&script).await;
    assert!(said.starts_with("/workspace\n"), "{said}");
    assert!(!said.contains("hidden") && !said.contains("root:$"), "{said}");
    for foreign in [".cargo", "lib\nlog", "docker.sock"] {
        assert!(!said.contains(foreign), "{foreign} in {said}");
    }
    place.clean().await;
}

#[tokio::test]
async fn a_workload_does_not_see_another_workspace() {
    let place = Place::new();
    let one = place.shell("echo private > letter");
    place.output_of(&one).await;
    let kept = place.data().join("workspaces/alice").join(one.label.as_str()).join("letter");
    assert_eq!(std::fs::read_to_string(&kept).expect("kept after the end"), "private\n");
    let said = place.output(&format!("find / -name letter 2>/dev/null; cat {}", kept.display())).await;
    assert!(!said.contains("private") && !said.contains("/letter\n"), "{said}");
    place.clean().await;
    place.local().discard_workspace(&one.label).await.expect("discarded");
    assert!(!kept.exists());
}

#[tokio::test]
async fn a_workload_is_not_root_and_cannot_become_it() {
    let place = Place::new();
    let said = place.output("id -u; id -G; whoami; grep -E '^(Cap|NoNewPrivs)' /proc/self/status").await;
    let mut lines = said.lines();
    // A hub that is not root can only give its own id.
    let own = rustix::process::geteuid();
    let expected = if own.is_root() { "1900000007".to_owned() } else { own.to_string() };
    assert_eq!(lines.next(), Some(expected.as_str()), "{said}");
    assert_eq!(lines.next(), Some(expected.as_str()), "{said}");
    assert_eq!(lines.next(), Some("alice"), "{said}");
    assert!(said.contains("NoNewPrivs:\t1"), "{said}");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(said.contains(&format!("{set}:\t0000000000000000")), "{said}");
    }
    place.clean().await;
}

#[tokio::test]
async fn a_workload_sees_only_its_own_processes() {
    let place = Place::new();
    let said =
        place.output("cat /proc/[0-9]*/cmdline | tr '\\0' ' '; echo; ls -d /proc/[0-9]* | wc -l").await;
    assert!(!said.contains("it-"), "the test itself is not seen: {said}");
    let count: u32 = said.lines().last().and_then(|line| line.trim().parse().ok()).expect("a number");
    assert!(count < 8, "{said}");
    place.clean().await;
}

#[tokio::test]
async fn no_secret_is_in_any_command_line_or_foreign_environment() {
    let place = Place::new();
    let mut plan = place.shell("echo \"got $TOKEN\"; read forever < /dev/zero");
    plan.spec.program = place.shell("echo \"got $TOKEN\"; exec /bin/sleep 1000").spec.program;
    plan.spec.env.insert("TOKEN".to_owned(), "hunter2hunter2".to_owned());
    let engine = place.local();
    let instance = launch(&engine, &plan).await;
    place.says(&engine, &instance, "got hunter2hunter2").await;
    let mut seen = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("readable").flatten() {
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let has = |text: &[u8]| text.windows(14).any(|window| window == b"hunter2hunter2");
        assert!(!has(&read("cmdline")), "in the command line of {:?}", entry.path());
        if has(&read("environ")) {
            seen.push(String::from_utf8_lossy(&read("cmdline")).replace('\0', " "));
        }
    }
    assert_eq!(seen, ["/bin/sleep 1000 "], "only the app has it");
    engine.stop(&plan.instance, grace()).await.expect("stopped");
    let run = place.data().join("local/run").join(plan.instance.as_str());
    assert!(!run.join("plan.json").exists(), "the plan is forgotten with the run");
    place.clean().await;
}

#[tokio::test]
async fn a_daemon_does_not_outlive_a_stop() {
    let place = Place::new();
    let plan = place.shell(
        "(setsid sh -c 'exec -a x sleep 98765' &) ; setsid -f sleep 98765; trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done",
    );
    let engine = place.local();
    let instance = launch(&engine, &plan).await;
    place.says(&engine, &instance, "ready").await;
    engine.stop(&plan.instance, grace()).await.expect("stopped");
    assert_eq!(status(&engine, &plan.instance).await, InstanceStatus::Ended(Exit::Code(0)));
    assert_eq!(running("98765"), 0);
    place.clean().await;
}

#[tokio::test]
async fn a_fork_bomb_is_bounded() {
    let place = Place::new();
    let mut plan = place.command(&[
        "/usr/bin/python3",
        "-c",
        "import os,time\nn=0\ntry:\n  while True:\n    if os.fork()==0: time.sleep(1000)\n    n+=1\nexcept OSError: print('stuck at',n,flush=True)\ntime.sleep(1000)",
    ]);
    plan.spec.limits.pids = 20;
    let engine = place.local();
    let instance = launch(&engine, &plan).await;
    place.says(&engine, &instance, "stuck at 1").await;
    let usage = engine.usage(&plan.instance).await.expect("told");
    // Where no control group counts, bubblewrap's own two processes are told as well.
    assert!(usage.pids <= 22, "{usage:?}");
    engine.stop(&plan.instance, Duration::from_millis(300)).await.expect("stopped");
    place.clean().await;
}

#[tokio::test]
async fn a_babbling_app_does_not_fill_the_disk() {
    let place = Place::with(Config { log_mib: 1, ..Config::default() });
    let plan = place.shell("head -c 20000000 /dev/zero | tr '\\0' 'x' ; echo; echo last");
    let engine = place.local();
    launch(&engine, &plan).await;
    assert_eq!(end(&engine, &plan.instance).await, Exit::Code(0));
    let log = text(engine.logs(&plan.instance, Follow::No).await.expect("a log")).await;
    assert!(log.len() <= 1 << 20 && log.ends_with("last\n"), "{} bytes", log.len());
    place.clean().await;
}

#[tokio::test]
async fn an_app_without_network_is_reached_by_its_socket() {
    let place = Place::new();
    let mut plan = place.plan(Deed::Serve);
    plan.spec.network = Network::None;
    let engine = place.local();
    let instance = launch(&engine, &plan).await;
    answers(&engine, &plan, &instance).await;
    let mut alone = place.shell("cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '");
    alone.spec.network = Network::None;
    assert_eq!(place.output_of(&alone).await, "lo\n");
    place.clean().await;
}

#[tokio::test]
async fn an_app_by_tcp_gets_a_port_of_its_own() {
    let place = Place::new();
    let engine = place.local();
    let mut ports = Vec::new();
    for _ in 0..2 {
        let mut plan = place.plan(Deed::Serve);
        let main = plan.spec.entry_points.values_mut().next().expect("main");
        *main = serve_entry(Listen::Tcp { port: None });
        let instance = launch(&engine, &plan).await;
        answers(&engine, &plan, &instance).await;
        ports.extend(instance.doors.into_values());
    }
    assert_ne!(ports[0], ports[1]);
    place.clean().await;
}

#[tokio::test]
async fn tcp_without_network_is_refused_in_words() {
    let place = Place::new();
    let mut plan = place.plan(Deed::Serve);
    plan.spec.network = Network::None;
    *plan.spec.entry_points.values_mut().next().expect("main") = serve_entry(Listen::Tcp { port: None });
    let refused = place.local().check(&app(&plan)).await.expect_err("refused");
    assert!(refused.to_string().contains("unix socket"), "{refused}");
}

#[tokio::test]
async fn what_is_mounted_is_seen_and_told() {
    let place = Place::new();
    let shared = tempfile::tempdir().expect("a directory");
    std::fs::write(shared.path().join("set"), "numbers\n").expect("written");
    let mut plan = place.shell("cat /data/set; touch /data/more");
    let source = shared.path().to_str().expect("text").to_owned();
    plan.spec.mounts = vec![Mount { source, target: "/data".to_owned(), mode: MountMode::ReadOnly }];
    let said = place.output_of(&plan).await;
    assert!(said.contains("numbers") && said.contains("Read-only file system"), "{said}");
    let instance = place.local().inspect(&plan.instance).await.expect("inspected").expect("there");
    assert!(instance.mounts.iter().any(|line| line.contains(" at /data, read-only")), "{instance:?}");
    place.clean().await;
}

#[tokio::test]
async fn a_mount_of_porticos_own_data_is_refused() {
    let place = Place::new();
    let mut plan = place.shell("true");
    let source = place.data().to_str().expect("text").to_owned();
    plan.spec.mounts = vec![Mount { source, target: "/data".to_owned(), mode: MountMode::ReadOnly }];
    let refused = place.local().launch(&plan, &Steps::default()).await.expect_err("refused");
    assert!(matches!(refused, SpawnError::Refused(_)), "{refused}");
    place.clean().await;
}

#[tokio::test]
async fn an_app_cannot_lead_the_front_door_to_another_socket() {
    let place = Place::new();
    let host = tempfile::tempdir().expect("a directory");
    let socket = host.path().join("host.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
    let plan = place.shell(&format!("ln -s {} $PORTICO_SOCKET; echo set; sleep 1000", socket.display()));
    let engine = place.local();
    let instance = launch(&engine, &plan).await;
    place.says(&engine, &instance, "set").await;
    let main = instance.doors.values().next().expect("a door");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(300) {
        assert!(!probe::accepts(main).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    engine.stop(&plan.instance, grace()).await.expect("stopped");
    place.clean().await;
}

/// How many living processes have this word in their command line.
pub(crate) fn running(word: &str) -> usize {
    let commands = std::fs::read_dir("/proc").expect("readable").flatten().filter_map(|entry| {
        let text = std::fs::read(entry.path().join("cmdline")).ok()?;
        text.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes()).then_some(())
    });
    commands.count()
}
