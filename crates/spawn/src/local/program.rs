//! From the words of a command to what runs: where the program lies, what it needs to see of the host,
//! and what the placeholders of the engine stand for.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

/// Directories that every workload sees anyway.
const ALWAYS_SEEN: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// Finds a program on a search path, as a shell would. A name with a slash stands for itself.
pub(super) fn find(program: &str, path: &str) -> Option<PathBuf> {
    if program.contains('/') {
        let program = PathBuf::from(program);
        return (program.is_absolute() && is_executable(&program)).then_some(program);
    }
    path.split(':')
        .filter(|directory| directory.starts_with('/'))
        .map(|directory| Path::new(directory).join(program))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The directories outside of the system's own that a program needs: the environment it was installed
/// into, the one of the interpreter that its first line names, and the one that a Python environment
/// was made from.
///
/// A program `<prefix>/bin/<name>` needs `<prefix>`. A prefix that could hold more than programs (a
/// home directory, one of its hidden directories, a directory right below `/`) is not taken: only the
/// program's own file is then seen, and whatever else it needs must be listed in `read_only`.
pub(super) fn trees(program: &Path, data: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![program.to_owned()];
    while let Some(file) = open.pop() {
        for seen in [Some(file.clone()), file.canonicalize().ok()].into_iter().flatten() {
            if is_always_seen(&seen) {
                continue;
            }
            let tree = prefix(&seen).filter(|tree| is_narrow(tree, data)).unwrap_or(seen);
            if !found.contains(&tree) {
                open.extend(python_home(&tree));
                found.push(tree);
            }
        }
        open.extend(interpreter(&file).filter(|interpreter| !found.contains(interpreter)));
        if found.len() > 16 {
            break;
        }
    }
    // A link to follow is named before its target; whoever mounts needs the outer one first.
    found.sort();
    let all = found.clone();
    found.retain(|tree| !all.iter().any(|other| other != tree && tree.starts_with(other)));
    found
}

fn is_always_seen(file: &Path) -> bool {
    ALWAYS_SEEN.iter().any(|directory| file.starts_with(directory))
}

fn prefix(file: &Path) -> Option<PathBuf> {
    let directory = file.parent()?;
    (directory.file_name()? == "bin").then(|| directory.parent().map(Path::to_owned))?
}

/// Whether a prefix is deep and special enough to be shown as a whole.
fn is_narrow(tree: &Path, data: &Path) -> bool {
    let parts: Vec<_> = tree
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { name.to_str() } else { None })
        .collect();
    // How many parts a home directory's own path has; elsewhere the first level is as wide as a home.
    let home = if parts.first() == Some(&"home") { 2 } else { 1 };
    let is_home_like = matches!(parts.first(), Some(&"home" | &"root"));
    let hidden = is_home_like
        && parts.len() == home + 1
        && parts.last().is_some_and(|name| name.starts_with('.'))
        && !tree.join("pyvenv.cfg").is_file();
    let deep = parts.len() > home && !hidden;
    deep && !data.starts_with(tree) && !tree.starts_with(data)
}

/// The interpreter that a script's first line names.
fn interpreter(file: &Path) -> Option<PathBuf> {
    let mut line = Vec::new();
    let mut reader = BufReader::new(fs::File::open(file).ok()?.take(256));
    reader.read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    let program = line.strip_prefix("#!")?.split_whitespace().next()?;
    program.starts_with('/').then(|| PathBuf::from(program))
}

/// The interpreter that a Python environment was made from.
fn python_home(tree: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(tree.join("pyvenv.cfg")).ok()?;
    let home = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "home").then(|| value.trim().to_owned())
    })?;
    Some(Path::new(&home).join("python3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(file: &Path, text: &str) {
        fs::create_dir_all(file.parent().expect("a parent")).expect("made");
        fs::write(file, text).expect("written");
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("set");
    }

    #[test]
    fn a_program_is_found_in_the_order_of_the_path() {
        assert_eq!(find("sh", "relative:/nowhere:/bin"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find("no-such-program", "/bin"), None);
        assert_eq!(find("/bin/sh", ""), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find("./sh", "/bin"), None);
    }

    #[test]
    fn a_script_needs_its_own_and_its_interpreters_environment() {
        let place = tempfile::tempdir().expect("a directory");
        let (venv, base) = (place.path().join("a/venv"), place.path().join("b/python"));
        touch(&base.join("bin/python3"), "");
        touch(&venv.join("pyvenv.cfg"), &format!("home = {}\n", base.join("bin").display()));
        touch(&venv.join("bin/python"), "");
        touch(&venv.join("bin/jupyter"), &format!("#!{}\n", venv.join("bin/python").display()));
        let found = trees(&venv.join("bin/jupyter"), Path::new("/data"));
        assert_eq!(found, [venv, base]);
    }

    #[test]
    fn a_system_program_needs_nothing_more() {
        assert_eq!(trees(Path::new("/bin/sh"), Path::new("/data")), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_could_hold_private_things_is_not_narrow() {
        let data = Path::new("/var/lib/portico");
        for wide in
            ["/", "/opt", "/root", "/home", "/home/ann", "/home/ann/.local", "/root/.local", "/var/lib"]
        {
            assert!(!is_narrow(Path::new(wide), data), "{wide}");
        }
        for narrow in
            ["/opt/venv", "/home/ann/venv", "/home/ann/.pyenv/versions/3", "/root/.pyenv/versions/3"]
        {
            assert!(is_narrow(Path::new(narrow), data), "{narrow}");
        }
    }
}
