//! Puts the three files of the terminal's page where `src/page.rs` embeds them from: as they were
//! built, or empty where the web assets were not built.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let built = Path::new("../../web/dist");
    let target = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    println!("cargo:rerun-if-changed={}", built.display());
    for name in ["terminal.html", "terminal.js", "terminal.css"] {
        let content = fs::read(built.join(name)).unwrap_or_default();
        fs::write(Path::new(&target).join(name), content)?;
    }
    Ok(())
}
