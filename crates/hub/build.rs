//! Builds again when the web assets change, which are embedded where they were built.

fn main() {
    println!("cargo:rerun-if-changed=../../web/dist");
    println!("cargo:rerun-if-changed=templates");
}
