//! As a Rust proxy does it: axum in front of a task that owns the monitor. Nothing is checked, and messages have no id,
//! as replies come in order. Takes the path of the monitor's socket, prints its port.

use std::{collections::VecDeque, env, error::Error};

use axum::{
    extract::{Path, State},
    http::{header::CONTENT_TYPE, StatusCode},
    response::IntoResponse,
    routing::post,
    Router,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        unix::{OwnedReadHalf, OwnedWriteHalf},
        TcpListener, UnixStream,
    },
    select,
    sync::{mpsc, oneshot},
};

struct Ask {
    message: String,
    answer: oneshot::Sender<(StatusCode, String)>,
}

/// An event has neither.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, rename = "return")]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args()
        .nth(1)
        .ok_or("the path of the monitor's socket is missing")?;
    let (reader, mut writer) = UnixStream::connect(path).await?.into_split();
    let mut lines = BufReader::new(reader).lines();
    lines.next_line().await?;
    writer
        .write_all(b"{\"execute\":\"qmp_capabilities\"}")
        .await?;
    lines.next_line().await?;

    let (asks, asked) = mpsc::channel(1024);
    tokio::spawn(converse(lines, writer, asked));
    let app = Router::new()
        .route("/v1/vms/bench/qmp/{command}", post(run))
        .with_state(asks);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    axum::serve(listener, app).await?;
    Ok(())
}

async fn run(
    State(asks): State<mpsc::Sender<Ask>>,
    Path(command): Path<String>,
    body: String,
) -> impl IntoResponse {
    let (answer, answered) = oneshot::channel();
    let message = format!(r#"{{"execute":"{command}","arguments":{body}}}"#);
    let gone = (StatusCode::BAD_GATEWAY, String::from("null"));
    let (status, value) = match asks.send(Ask { message, answer }).await {
        Ok(()) => answered.await.unwrap_or(gone),
        Err(_) => gone,
    };
    (status, [(CONTENT_TYPE, "application/json")], value)
}

/// Writes what is asked, as much at once as there is, and gives each reply to the first that waits.
async fn converse(
    mut lines: Lines<BufReader<OwnedReadHalf>>,
    mut writer: OwnedWriteHalf,
    mut asked: mpsc::Receiver<Ask>,
) -> Result<(), std::io::Error> {
    let mut waiting = VecDeque::new();
    let mut asks = Vec::new();
    loop {
        select! {
            _ = asked.recv_many(&mut asks, 64) => {
                let mut messages = String::new();
                for Ask { message, answer } in asks.drain(..) {
                    messages += &message;
                    waiting.push_back(answer);
                }
                writer.write_all(messages.as_bytes()).await?;
            }
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                let reply: Reply = serde_json::from_str(&line)?;
                let answer = match reply {
                    Reply { value: Some(value), .. } => (StatusCode::OK, value.get().to_owned()),
                    Reply { error: Some(error), .. } => (StatusCode::BAD_GATEWAY, error.get().to_owned()),
                    _ => continue,
                };
                if let Some(first) = waiting.pop_front() {
                    let _ = first.send(answer);
                }
            }
        }
    }
}
