//! Random bytes, always from the system's generator.

/// `N` random bytes.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel's generator is ready long before any service starts");
    bytes
}

/// A secret of 256 bits as 52 characters of lower-case base32.
#[must_use]
pub fn secret_text() -> String {
    data_encoding::BASE32_NOPAD.encode(&bytes::<32>()).to_ascii_lowercase()
}
