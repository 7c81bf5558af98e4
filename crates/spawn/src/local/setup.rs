//! What the shim does before the app starts: the workspace, the doors, the view of the host, the
//! limits, and the command that becomes the app.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use portico_core::{
    app::{Network, Program},
    launch::expand,
};

use super::{
    doors::{Doors, Site},
    enter::Entry,
    layout::create_private,
    limits::{Group, Hierarchies},
    program,
    record::{Home, Job, Started},
    sandbox::{self, View},
};

/// A run that only needs to be started.
pub(super) struct Prepared {
    pub(super) command: Command,
    pub(super) entry: Entry,
    pub(super) doors: Doors,
    pub(super) started: Started,
}

/// Prepares everything. Errors are sentences for people.
pub(super) fn prepare(home: &Home, job: &Job) -> io::Result<Prepared> {
    let workspace = make_workspace(job)?;
    let links = job.layout.doors(&job.plan.label);
    let sockets = make_sockets(job, &links)?;
    let boxed = job.bubblewrap.is_some();
    let seen_sockets = if boxed { Path::new(sandbox::SOCKETS) } else { &sockets };
    let site = Site {
        links: &links,
        sockets: &sockets,
        seen_sockets,
        locks: &job.layout.ports,
        ports: job.config.ports,
    };
    let doors = Doors::plan(&job.plan.spec.entry_points, &site)?;
    let seen_workspace = if boxed { Path::new(sandbox::WORKSPACE) } else { &workspace };
    let executable = if boxed { Path::new(sandbox::EXECUTABLE) } else { &job.executable };
    let (command, program) = command_line(job, &doors, seen_workspace, executable)?;
    let etc = write_etc(home, job)?;
    let mut trees = job.config.read_only.clone();
    trees.extend(program::trees(&program, &job.layout.data));
    let view = View {
        etc: &etc,
        workspace: &workspace,
        sockets: &sockets,
        executable: &job.executable,
        trees: &trees,
        mounts: &job.plan.spec.mounts,
        network: job.plan.spec.network,
        scratch_bytes: job.plan.spec.limits.memory_bytes(),
        as_root: job.user.is_some(),
    };
    let mounts = check_mounts(job, &workspace, &view)?;
    // Made last: from here on the run counts as started, and its removal takes the groups away.
    let group = Hierarchies::find(Path::new("/proc/self"))
        .create(&job.plan.instance, &job.plan.spec.limits)
        .map_err(|error| io::Error::other(format!("the limits cannot be set: {error}")))?;
    let entry = Entry {
        env: environment(job, &doors, seen_workspace, &program),
        command,
        directory: seen_workspace.to_owned(),
        user: job.user,
        memory_bytes: (!group.bounds_memory()).then(|| job.plan.spec.limits.memory_bytes()),
        // The kernel counts per user and user namespace. With neither of its own, all processes of the
        // hub's user would be counted.
        processes: (!group.bounds_processes() && (job.user.is_some() || boxed))
            .then(|| u64::from(job.plan.spec.limits.pids)),
    };
    let started = Started {
        shim: rustix::process::getpid().as_raw_nonzero().get(),
        doors: doors.upstreams.clone(),
        mounts,
        group,
    };
    let command = outer_command(job, &started.group, &view);
    Ok(Prepared { command, entry, doors, started })
}

/// `join`, and within the groups bubblewrap where it is used, and within that `enter`.
fn outer_command(job: &Job, group: &Group, view: &View<'_>) -> Command {
    let mut command = Command::new(&job.executable);
    let groups = group.directories();
    command.args(["internal", "join", &groups.len().to_string()]).args(groups);
    match &job.bubblewrap {
        Some(bubblewrap) => {
            command.arg(bubblewrap).args(sandbox::arguments(view));
            command.args([sandbox::EXECUTABLE, "internal", "enter"]);
        }
        None => {
            command.arg(&job.executable).args(["internal", "enter"]);
        }
    }
    command.env_clear();
    command
}

/// The app's command with the placeholders filled in and the program resolved, and where that lies.
fn command_line(
    job: &Job,
    doors: &Doors,
    workspace: &Path,
    executable: &Path,
) -> io::Result<(Vec<String>, PathBuf)> {
    let Program::Command(run) = &job.plan.spec.program else {
        return Err(io::Error::other("this engine runs programs, not images"));
    };
    let mut values = doors.values.clone();
    values.insert("workspace".to_owned(), workspace.display().to_string());
    values.insert("portico".to_owned(), executable.display().to_string());
    let mut words: Vec<_> = run.command.iter().map(|word| expand(word, &values)).collect();
    let first = words.first_mut().ok_or_else(|| io::Error::other("the command is empty"))?;
    if Path::new(first) == executable {
        return Ok((words, PathBuf::from("/usr/bin")));
    }
    let program = program::find(first, &job.path)
        .ok_or_else(|| io::Error::other(format!("the program {first} was not found")))?;
    *first = program.display().to_string();
    Ok((words, program))
}

fn environment(job: &Job, doors: &Doors, workspace: &Path, program: &Path) -> BTreeMap<String, String> {
    let mut values = doors.values.clone();
    let place = workspace.display().to_string();
    values.insert("workspace".to_owned(), place.clone());
    let mut path = "/usr/local/bin:/usr/bin:/bin".to_owned();
    if let Some(directory) = program.parent().filter(|directory| !directory.starts_with("/usr/bin")) {
        path = format!("{}:{path}", directory.display());
    }
    let owner = job.plan.owner.slug.to_string();
    let mut env = BTreeMap::from([
        ("PATH".to_owned(), path),
        ("HOME".to_owned(), place.clone()),
        ("USER".to_owned(), owner.clone()),
        ("LOGNAME".to_owned(), owner),
        ("SHELL".to_owned(), "/bin/bash".to_owned()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ("TMPDIR".to_owned(), "/tmp".to_owned()),
        ("PORTICO_WORKSPACE".to_owned(), place),
    ]);
    for (name, value) in &doors.values {
        env.insert(format!("PORTICO_{}", name.to_uppercase().replace(['.', '-'], "_")), value.clone());
    }
    // What the app says comes last and wins.
    env.extend(job.plan.spec.env.iter().map(|(name, text)| (name.clone(), expand(text, &values))));
    env
}

fn make_workspace(job: &Job) -> io::Result<PathBuf> {
    let owners = job.layout.workspaces.join(job.plan.owner.slug.as_str());
    create_private(&owners)?;
    if job.user.is_some() && job.bubblewrap.is_none() {
        job.layout.let_through()?;
        fs::set_permissions(&owners, Permissions::from_mode(0o711))?;
    }
    let workspace = owners.join(job.plan.label.as_str());
    create_private(&workspace)?;
    give(&workspace, job.user)?;
    Ok(workspace)
}

/// Makes the directory of the links anew, and in it the one where the app makes its sockets.
fn make_sockets(job: &Job, links: &Path) -> io::Result<PathBuf> {
    match fs::remove_dir_all(links) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir(links)?;
    let mode = if job.user.is_some() && job.bubblewrap.is_none() { 0o711 } else { 0o700 };
    fs::set_permissions(links, Permissions::from_mode(mode))?;
    let sockets = links.join("in");
    create_private(&sockets)?;
    give(&sockets, job.user)?;
    Ok(sockets)
}

fn give(directory: &Path, user: Option<u32>) -> io::Result<()> {
    match user {
        Some(user) => std::os::unix::fs::lchown(directory, Some(user), Some(user)),
        None => Ok(()),
    }
}

/// The names of users and hosts that the app may know.
fn write_etc(home: &Home, job: &Job) -> io::Result<PathBuf> {
    let etc = home.file("etc");
    create_private(&etc)?;
    let id = job.user.unwrap_or_else(|| rustix::process::geteuid().as_raw());
    let gid = job.user.unwrap_or_else(|| rustix::process::getegid().as_raw());
    let owner = &job.plan.owner.slug;
    let directory = sandbox::WORKSPACE;
    let root = if id == 0 { "" } else { "root:x:0:0:root:/root:/usr/sbin/nologin\n" };
    let passwd = format!(
        "{root}{owner}:x:{id}:{gid}:{owner}:{directory}:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
    );
    let group = format!("root:x:0:\n{owner}:x:{gid}:\nnogroup:x:65534:\n");
    let hosts = "127.0.0.1 localhost portico\n::1 localhost ip6-localhost\n".to_owned();
    for (name, text) in
        [("passwd", passwd), ("group", group), ("hosts", hosts), ("hostname", "portico\n".to_owned())]
    {
        fs::write(etc.join(name), text)?;
        fs::set_permissions(etc.join(name), Permissions::from_mode(0o644))?;
    }
    Ok(etc)
}

/// Refuses mounts that cannot be made, and tells in words what the app will see.
fn check_mounts(job: &Job, workspace: &Path, view: &View<'_>) -> io::Result<Vec<String>> {
    let mounts = &job.plan.spec.mounts;
    if job.bubblewrap.is_none() {
        if mounts.is_empty() && job.plan.spec.network == Network::Outbound {
            return Ok(vec![
                format!("workspace at {}, read-write", workspace.display()),
                "all files of the host that its user id may read".to_owned(),
            ]);
        }
        return Err(io::Error::other("mounts and a closed network need bubblewrap, which is not used here"));
    }
    match mounts.iter().find_map(|mount| sandbox::refuse_mount(mount, workspace, &job.layout.data)) {
        Some(refusal) => Err(io::Error::other(refusal)),
        None => Ok(sandbox::describe(view)),
    }
}
