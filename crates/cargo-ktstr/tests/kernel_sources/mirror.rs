//! A server of files in the test.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Serves files over HTTP, one request a connection, since a broken-off answer ends its connection.
pub struct Mirror {
    pub address: String,
    /// Each path that was asked for, and from which byte on.
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    /// `cut` breaks the first answer of more than that many bytes off there.
    pub fn serve(files: Vec<(String, Vec<u8>)>, cut: Option<usize>) -> Self {
        Self::start(files, cut, false)
    }

    /// Breaks the first long answer off, and is gone then.
    pub fn serve_until_gone(files: Vec<(String, Vec<u8>)>, cut: usize) -> Self {
        Self::start(files, Some(cut), true)
    }

    fn start(files: Vec<(String, Vec<u8>)>, mut cut: Option<usize>, goes: bool) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", server.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for mut connection in server.incoming().flatten() {
                let head = read_head(&mut connection);
                let path = head.split(' ').nth(1).unwrap_or_default();
                let range = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
                let start: usize = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
                seen.lock().unwrap().push(format!("{path} {start}"));
                let file = files.iter().find(|(name, _)| name == path);
                let (status, rest) = match file {
                    None => ("404 Not Found", &[][..]),
                    Some((_, content)) if start > 0 => {
                        ("206 Partial Content", &content[start.min(content.len())..])
                    }
                    Some((_, content)) => ("200 OK", &content[..]),
                };
                let sent = match cut {
                    Some(limit) if rest.len() > limit => {
                        cut = None;
                        limit
                    }
                    _ => rest.len(),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    rest.len()
                );
                // The client may be gone.
                let _ =
                    connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&rest[..sent]));
                if goes && sent < rest.len() {
                    return;
                }
            }
        });
        Self { address, requests }
    }

    pub fn requests_of(&self, part: &str) -> Vec<String> {
        self.requests.lock().unwrap().iter().filter(|request| request.contains(part)).cloned().collect()
    }
}

fn read_head(connection: &mut TcpStream) -> String {
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    lines.by_ref().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
