//! How a test says that it cannot run here.

/// Prints the line by which skipped tests are counted. Call it on the test's own thread, which bears
/// the test's name.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    println!("skipped: {}: {reason}", thread.name().unwrap_or("a test"));
}
