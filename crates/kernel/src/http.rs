//! Reading a mirror over HTTP: small files whole, large ones so that an interrupted download goes on.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    time::Duration,
};

use ureq::{Agent, http::StatusCode};

use crate::{Error, Progress};

/// Interruptions in a row, without a byte in between, after which a download gives up.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
const CONNECT: Duration = Duration::from_secs(20);
/// For one request; a download that takes longer goes on with another.
const BODY: Duration = Duration::from_secs(300);
/// An index that is larger is not one.
const LARGEST_INDEX: u64 = 64 << 20;

/// A client for one mirror.
pub struct Http {
    agent: Agent,
    /// The variable that names another mirror.
    variable: &'static str,
}

impl Http {
    /// A client that takes proxies from the environment; `variable` names another mirror.
    pub fn new(variable: &'static str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(CONNECT))
            .timeout_recv_body(Some(BODY))
            .user_agent(concat!("ktstr/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), variable }
    }

    /// The error of a file that is not as it should be.
    pub fn refuse(&self, url: &str, why: String) -> Error {
        Error::Download { url: url.to_owned(), why, mirror: self.variable }
    }

    /// A text file; `None` when the mirror does not have it.
    pub fn text(&self, url: &str) -> Result<Option<String>, Error> {
        Ok(self.bytes(url)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A file, not larger than an index is; `None` when the mirror does not have it.
    pub fn bytes(&self, url: &str) -> Result<Option<Vec<u8>>, Error> {
        let refuse = |why: String| self.refuse(url, why);
        let mut response = self.agent.get(url).call().map_err(|error| refuse(error.to_string()))?;
        match response.status() {
            StatusCode::OK => {
                let body = response.body_mut().with_config().limit(LARGEST_INDEX).read_to_vec();
                body.map(Some).map_err(|error| refuse(error.to_string()))
            }
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(refuse(format!("the server answered {status}"))),
        }
    }

    /// Completes `file`, of which an earlier download may have left the beginning.
    pub fn download(&self, url: &str, file: &Path, progress: &dyn Progress) -> Result<(), Error> {
        let mut fruitless = 0;
        loop {
            let before = length(file);
            let error = match self.go_on(url, file, progress) {
                Ok(()) => return Ok(()),
                Err(Stop::Final(error)) => return Err(error),
                Err(Stop::Interrupted(why)) => why,
            };
            fruitless = if length(file) > before { 0 } else { fruitless + 1 };
            if fruitless == ATTEMPTS {
                return Err(self.refuse(url, error));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn go_on(&self, url: &str, file: &Path, progress: &dyn Progress) -> Result<(), Stop> {
        let refuse = |why: String| Stop::Final(self.refuse(url, why));
        let have = length(file);
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let mut response = request.call().map_err(|error| Stop::Interrupted(error.to_string()))?;
        let status = response.status();
        let start = match status {
            StatusCode::PARTIAL_CONTENT => have,
            // A server that cannot go on sends all of it.
            StatusCode::OK => 0,
            // There is nothing behind what we have: it is whole, which its sum will show.
            StatusCode::RANGE_NOT_SATISFIABLE => return Ok(()),
            _ if status.is_server_error() => {
                return Err(Stop::Interrupted(format!("the server answered {status}")));
            }
            _ => return Err(refuse(format!("the server answered {status}"))),
        };
        let total = response.body().content_length().map(|rest| start + rest);
        let mut target =
            open(file, start).map_err(|error| Stop::Final(Error::cache_io("write", file)(error)))?;
        let mut body = response.body_mut().as_reader();
        let (mut done, mut buffer) = (start, vec![0; 1 << 16]);
        loop {
            let bytes = body.read(&mut buffer).map_err(|error| Stop::Interrupted(error.to_string()))?;
            if bytes == 0 {
                break;
            }
            let written = target.write_all(&buffer[..bytes]);
            written.map_err(|error| Stop::Final(Error::cache_io("write", file)(error)))?;
            done += bytes as u64;
            progress.bytes(done, total.unwrap_or(done));
        }
        match total {
            Some(total) if done < total => {
                Err(Stop::Interrupted(format!("it broke off at {done} of {total} bytes")))
            }
            _ => Ok(()),
        }
    }
}

/// Why an attempt ended.
enum Stop {
    /// Another attempt may help.
    Interrupted(String),
    /// Nothing will.
    Final(Error),
}

fn open(file: &Path, start: u64) -> io::Result<File> {
    let target = File::options().create(true).append(true).open(file)?;
    target.set_len(start)?;
    Ok(target)
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}
