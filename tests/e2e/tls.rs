//! TLS between real processes: the command line, watches and services over it, certificates that change while servers
//! run, and what everyone hears who is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use milepost_client::{
    Client, Delivery, Endpoint, Endpoints, Selection, Start, TlsOptions, Watch, WatchOptions, WatchState,
};
use milepost_proto::registry::v1::ListPortfoliosRequest;
use milepost_tests::authority::{Authority, HOUR, Pair};
use milepost_tests::cli::{Run, run_command};
use milepost_tests::command::{Command as Write, create_portfolio, create_project};
use milepost_tests::wait::until;
use milepost_tests::{Cluster, Role, binary, http, within};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(30);
pub(super) const RELOADED: &str = "changed files of TLS are in use";

/// An office with a CA of its servers and one of its clients, and the files of both sides.
struct Office {
    dir: TempDir,
    servers: Authority,
    clients: Authority,
}

impl Office {
    fn new() -> Self {
        let dir = TempDir::with_prefix("milepost-tls-").expect("a temporary directory");
        let (servers, clients) =
            (Authority::new(dir.path(), "servers"), Authority::new(dir.path(), "clients"));
        servers.server(HOUR).write(dir.path(), "server");
        clients.client(HOUR).write(dir.path(), "client");
        Self { dir, servers, clients }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }

    /// Has every server of a cluster speak TLS and ask for client certificates.
    fn secure(&self, cluster: &mut Cluster, roles: &[Role]) {
        for role in roles {
            let files = [("certificate", "server.pem"), ("key", "server.key"), ("client_ca", "clients.pem")];
            let set = files.map(|(key, file)| (format!("tls.{key}"), self.path(file)));
            cluster.launch(*role).set.extend(set);
        }
    }

    async fn start(&self) -> Cluster {
        let mut cluster = Cluster::all(&[]);
        self.secure(&mut cluster, &[Role::All]);
        cluster.start().await;
        cluster
    }

    /// Runs the command line against a server, with the CA of the servers and the client certificate.
    async fn run(&self, cluster: &Cluster, words: &str) -> Run {
        let flags = format!(
            "--ca {} --cert {} --cert-key {} {words}",
            self.path("servers.pem"),
            self.path("client.pem"),
            self.path("client.key")
        );
        run(&url(cluster, "https"), &flags).await
    }

    fn client(&self, url: &str, with_certificate: bool) -> Client {
        let file = |name| Some(self.dir.path().join(name)).filter(|_| with_certificate);
        let tls = TlsOptions {
            ca: Some(self.servers.file.clone()),
            certificate: file("client.pem"),
            key: file("client.key"),
            domain: None,
        };
        let endpoint = Endpoint::parse(url).and_then(|endpoint| endpoint.tls(tls)).expect("an endpoint");
        Client::new(&Endpoints::one(endpoint), 1)
    }
}

fn url(cluster: &Cluster, scheme: &str) -> String {
    format!("{scheme}://localhost:{}", cluster.server(Role::All).grpc().port())
}

async fn run(url: &str, words: &str) -> Run {
    let mut command = Command::new(binary::milepost());
    command.args(["--endpoint", url]).args(words.split(' '));
    run_command(command).await
}

/// That a command failed at once because the server cannot be reached, and said this.
#[track_caller]
fn assert_refused(run: &Run, says: &str) {
    assert_eq!(run.code, Some(6), "{run:?}");
    assert!(run.err.contains(says) && !run.err.contains("deadline"), "{says:?} is not said: {run:?}");
}

/// Waits until the server has logged this so many times.
pub(super) async fn logged(cluster: &Cluster, text: &str, times: usize) {
    until(PATIENCE, format!("{text:?} in the log"), async || {
        let log = cluster.server(Role::All).log();
        if log.matches(text).count() >= times { Ok(()) } else { Err(log) }
    })
    .await;
}

async fn metric(cluster: &Cluster, name: &str) -> String {
    let (_, metrics) = http::get(cluster.server(Role::All).admin(), "/metrics").await.expect("metrics");
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_default().to_owned()
}

/// Watches everything from the beginning.
pub(super) fn watch(client: &Client) -> Watch {
    client.watch(Start::Earliest, Selection::default(), WatchOptions::default())
}

/// Reads on until an event of this subject comes.
pub(super) async fn see(watch: &mut Watch, subject: &str) {
    let seen = async {
        while let Some(delivery) = watch.next().await {
            let Delivery::Batch(batch) = delivery.expect("the watch goes on") else { continue };
            if batch.events.iter().any(|event| event.subject == subject) {
                return;
            }
        }
    };
    within(PATIENCE, format!("an event of {subject}"), seen).await;
}

async fn create(client: &Client, id: &str) {
    create_portfolio(id).once(client).await.expect("a portfolio");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_and_a_watch_work_over_tls_with_a_client_certificate() {
    let office = Office::new();
    let cluster = office.start().await;
    let create = "portfolio create p --display-name 组合 --time-zone UTC --currency CNY";
    office.run(&cluster, create).await.succeeded();
    let listed = office.run(&cluster, "portfolio list --format json").await.succeeded();
    assert!(listed.out.contains("组合"), "{listed:?}");
    see(&mut watch(&office.client(&url(&cluster, "https"), true)), "portfolios/p").await;
    let settings =
        format!("context set office --ca {} --endpoint https://localhost:1", office.path("servers.pem"));
    let contexts = office.dir.path().join("contexts.toml");
    let mut command = Command::new(binary::milepost());
    command.args(settings.split(' ')).env("MILEPOST_CONTEXTS", &contexts);
    run_command(command).await.succeeded();
    let mut command = Command::new(binary::milepost());
    command.args(["portfolio", "list", "--endpoint", &url(&cluster, "https")]);
    command.env("MILEPOST_CONTEXTS", &contexts).env("MILEPOST_TOKEN", "mp_secret");
    assert!(run_command(command).await.succeeded().out.contains("组合"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_apart_follow_each_other_over_tls() {
    let office = Office::new();
    let mut cluster = Cluster::apart(&[]);
    let roles = [Role::Registry, Role::Tracker, Role::Notifier];
    office.secure(&mut cluster, &roles);
    let at = |cluster: &mut Cluster, role| format!("https://{}", cluster.launch(role).listen);
    let (registry, tracker) = (at(&mut cluster, Role::Registry), at(&mut cluster, Role::Tracker));
    let upstream = [("ca", "servers.pem"), ("certificate", "client.pem"), ("key", "client.key")];
    for (role, urls) in [
        (Role::Tracker, &[("tracker.registry_url", &registry)][..]),
        (Role::Notifier, &[("notifier.registry_url", &registry), ("notifier.tracker_url", &tracker)][..]),
    ] {
        let set = &mut cluster.launch(role).set;
        set.extend(urls.iter().map(|(key, url)| ((*key).to_owned(), (*url).clone())));
        set.extend(upstream.map(|(key, file)| (format!("upstream.{key}"), office.path(file))));
    }
    cluster.start().await;
    let notifier = at(&mut cluster, Role::Notifier);
    let (registry, notifier) = (office.client(&registry, true), office.client(&notifier, true));
    create(&registry, "p").await;
    see(&mut watch(&notifier), "portfolios/p").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_takes_new_certificates_into_use_and_an_open_watch_goes_on() {
    let office = Office::new();
    let cluster = office.start().await;
    let client = office.client(&url(&cluster, "https"), true);
    let mut watch = watch(&client);
    create(&client, "before").await;
    see(&mut watch, "portfolios/before").await;
    let state = watch.state();

    let others = Authority::new(office.dir.path(), "others");
    others.server(2 * HOUR).write(office.dir.path(), "server");
    cluster.signal(Role::All, Signal::HUP);
    logged(&cluster, RELOADED, 1).await;
    create(&client, "after").await;
    see(&mut watch, "portfolios/after").await;
    assert!(!state.has_changed().unwrap_or(true), "the watch was interrupted: {:?}", *state.borrow());
    // Who connects from now on meets the new certificate.
    assert_refused(&office.run(&cluster, "portfolio list").await, "give its CA by --ca");
    let trusting = format!("portfolio list --ca {}", others.file.display());
    run(&url(&cluster, "https"), &trusting).await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_written_pair_changes_nothing_until_it_is_whole() {
    let office = Office::new();
    let cluster = office.start().await;
    let next: Pair = office.servers.server(2 * HOUR);
    let expiry = metric(&cluster, "milepost_server_certificate_expiry_timestamp_seconds").await;
    fs::write(office.path("server.pem"), &next.certificate).expect("the file can be written");
    cluster.signal(Role::All, Signal::HUP);
    logged(&cluster, "cannot be used; the earlier ones stay in use: tls.key", 1).await;
    assert_ne!(metric(&cluster, "milepost_server_tls_reload_failures_total").await, "0");
    assert_eq!(cluster.server(Role::All).readiness().await["ready"], true);
    office.run(&cluster, "portfolio list").await.succeeded();
    next.write(office.dir.path(), "server");
    cluster.signal(Role::All, Signal::HUP);
    logged(&cluster, RELOADED, 1).await;
    assert_ne!(metric(&cluster, "milepost_server_certificate_expiry_timestamp_seconds").await, expiry);
    office.run(&cluster, "portfolio list").await.succeeded();
}

/// Calls on and on, each with what is returned for it, and counts.
async fn call_on(client: impl Fn() -> Client, count: watch::Sender<usize>) {
    loop {
        let listed = client().portfolios().list_portfolios(ListPortfoliosRequest::default()).await;
        listed.expect("a call, whatever becomes of the files");
        count.send_modify(|count| *count += 1);
    }
}

/// Waits for some more of the calls that are counted.
async fn more(counts: &mut [watch::Receiver<usize>]) {
    for count in counts {
        let goal = *count.borrow() + 5;
        drop(within(PATIENCE, "more calls", count.wait_for(|count| *count >= goal)).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_replaced_in_two_steps_again_and_again_and_no_call_and_no_watch_hears_of_it() {
    const EXPIRY: &str = "milepost_server_certificate_expiry_timestamp_seconds";
    const FAILURES: &str = "milepost_server_tls_reload_failures_total";
    let office = Office::new();
    let cluster = office.start().await;
    let url = url(&cluster, "https");
    let client = office.client(&url, true);
    let mut watch = watch(&client);
    create(&client, "before").await;
    see(&mut watch, "portfolios/before").await;
    let state = watch.state();
    let ((kept, of_kept), (anew, of_anew)) = (watch::channel(0), watch::channel(0));
    let mut counts = [of_kept, of_anew];
    let changed = async |name: &str, before: &str| {
        until(PATIENCE, format!("another {name}"), async || {
            let now = metric(&cluster, name).await;
            if now == before { Err(now) } else { Ok(()) }
        })
        .await;
    };
    let replacing = async {
        for round in 1..=5 {
            let next = office.servers.server((round + 1) * HOUR);
            let (expiry, failures) = (metric(&cluster, EXPIRY).await, metric(&cluster, FAILURES).await);
            fs::write(office.path("server.pem"), &next.certificate).expect("the file can be written");
            cluster.signal(Role::All, Signal::HUP);
            changed(FAILURES, &failures).await;
            more(&mut counts).await;
            assert_eq!(metric(&cluster, EXPIRY).await, expiry, "half of a pair is in use");
            next.write(office.dir.path(), "server");
            cluster.signal(Role::All, Signal::HUP);
            changed(EXPIRY, &expiry).await;
            more(&mut counts).await;
            let id = format!("round-{round}");
            create(&client, &id).await;
            see(&mut watch, &format!("portfolios/{id}")).await;
        }
    };
    tokio::select! {
        () = replacing => {}
        () = call_on(|| client.clone(), kept) => {}
        () = call_on(|| office.client(&url, true), anew) => {}
    }
    assert!(!state.has_changed().unwrap_or(true), "the watch was interrupted: {:?}", *state.borrow());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_signed_by_a_removed_ca_is_cut_off_and_goes_on_with_a_new_certificate() {
    let office = Office::new();
    let cluster = office.start().await;
    let mut watch = watch(&office.client(&url(&cluster, "https"), true));
    let other = office.client(&url(&cluster, "https"), false);
    create(&other, "before").await;
    see(&mut watch, "portfolios/before").await;

    let next = Authority::new(office.dir.path(), "next");
    fs::copy(&next.file, office.path("clients.pem")).expect("the file can be written");
    cluster.signal(Role::All, Signal::HUP);
    let mut state = watch.state();
    let refused = state.wait_for(|state| {
        matches!(state, WatchState::Interrupted { reason, .. } if reason.contains("does not trust the CA"))
    });
    let delivering = async { while let Some(Ok(_)) = watch.next().await {} };
    tokio::select! {
        refused = within(PATIENCE, "a watch that is refused", refused) => drop(refused.expect("a state")),
        () = delivering => panic!("the watch ended"),
    }
    assert_refused(&office.run(&cluster, "portfolio list").await, "does not trust the CA of the client");
    // The certificate is read again for the next connection.
    next.client(HOUR).write(office.dir.path(), "client");
    create(&other, "after").await;
    see(&mut watch, "portfolios/after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_refused_hears_why_at_once() {
    let office = Office::new();
    let cluster = office.start().await;
    let (certificate, key) = office.clients.client(-HOUR).write(office.dir.path(), "expired");
    let expired = format!("--cert {} --cert-key {}", certificate.display(), key.display());
    assert_refused(&office.run(&cluster, &format!("portfolio list {expired}")).await, "has not expired");
    let (certificate, key) = office.servers.client(HOUR).write(office.dir.path(), "foreign");
    let foreign = format!("--cert {} --cert-key {}", certificate.display(), key.display());
    assert_refused(
        &office.run(&cluster, &format!("portfolio list {foreign}")).await,
        "does not trust the CA",
    );
    let wrong = format!("portfolio list --ca {}", office.clients.file.display());
    assert_refused(&office.run(&cluster, &wrong).await, "give its CA by --ca");
    let system = run(&url(&cluster, "https"), "portfolio list").await;
    assert_refused(&system, "--ca");
    let plain = run(&url(&cluster, "http"), "portfolio list").await.failed();
    assert!(plain.err.contains("this port speaks TLS only: connect with https://"), "{plain:?}");
    let half = run(&url(&cluster, "https"), "portfolio list --cert a.pem").await.failed();
    assert!(half.code == Some(2) && half.err.contains("needs its private key"), "{half:?}");
    let mut without = Cluster::all(&[]);
    without.start().await;
    let tls = format!("portfolio list --ca {}", office.path("servers.pem"));
    assert_refused(&run(&url(&without, "https"), &tls).await, "the server speaks no TLS: write http://");
    let open = run("http://192.0.2.1:7400", "portfolio list --token mp_secret").await.failed();
    assert!(open.code == Some(2) && open.err.contains("others can read what is sent"), "{open:?}");
    assert!(!open.err.contains("mp_secret"), "{open:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_does_not_start_with_files_that_endanger_it_nor_open_to_a_network() {
    let office = Office::new();
    let serve = async |listen: &str, set: &[(&str, &str)]| {
        let mut command = Command::new(binary::milepost());
        command.args(["serve", "all", "--admin-listen", "none", "--listen", listen, "--data-dir"]);
        command.arg(office.dir.path().join("data"));
        for (key, file) in set {
            let path = if file.contains('.') { office.path(file) } else { (*file).to_owned() };
            command.arg("--set").arg(format!("{key}={path}"));
        }
        let run = run_command(command).await.failed();
        assert_eq!(run.code, Some(64), "{run:?}");
        run.err
    };
    let says = |err: &str, parts: &[&str]| {
        assert!(parts.iter().all(|part| err.contains(part)), "{parts:?} are not all said:\n{err}");
    };
    let local = "127.0.0.1:0";
    let pair = [("tls.certificate", "server.pem"), ("tls.key", "server.key")];
    fs::set_permissions(office.path("server.key"), Permissions::from_mode(0o644)).expect("a mode");
    says(&serve(local, &pair).await, &["tls.key: others may read or change", "mode 0644"]);
    office.servers.server(-HOUR).write(office.dir.path(), "old");
    let old = [("tls.certificate", "old.pem"), ("tls.key", "server.key"), ("tls.client_ca", "none.pem")];
    let all = [
        "3 faults",
        "tls.certificate: a certificate in it expired at",
        "tls.key: others may",
        "none.pem cannot",
    ];
    says(&serve(local, &old).await, &all);
    let mixed = [("tls.certificate", "server.pem"), ("tls.key", "old.key")];
    says(&serve(local, &mixed).await, &["tls.key: it does not fit to"]);
    says(&serve(local, &pair[..1]).await, &["tls.key: is missing"]);
    says(
        &serve("0.0.0.0:0", &[]).await,
        &["--listen: listen: other machines may reach", "insecure_network = true"],
    );
    office.servers.server(HOUR).write(office.dir.path(), "server");
    says(&serve("0.0.0.0:0", &pair).await, &["needs authentication"]);
}

/// Passes one connection on, and no other, and counts the bytes of each direction until it has ended.
pub(super) async fn counted(
    server: std::net::SocketAddr,
) -> (std::net::SocketAddr, tokio::task::JoinHandle<(u64, u64)>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let passing = tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.expect("a connection");
        let mut far = tokio::net::TcpStream::connect(server).await.expect("the server");
        tokio::io::copy_bidirectional(&mut near, &mut far).await.expect("both close")
    });
    (address, passing)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_requests_and_answers_are_compressed_on_the_way() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create(&client, "p").await;
    let purpose = "重庆科学城的一个大型项目。".repeat(100);
    let requests: Vec<serde_json::Value> = (0..100)
        .map(|number| {
            let project = serde_json::json!({"displayName": format!("项目 {number}"), "purpose": purpose});
            serde_json::json!({"projectId": format!("project-{number}"), "project": project})
        })
        .collect();
    let file = cluster.dir().join("projects.json");
    fs::write(&file, serde_json::json!({ "requests": requests }).to_string()).expect("a file");
    let plain_bytes = (purpose.len() * 100) as u64;
    let (address, passed) = counted(cluster.server(Role::All).grpc()).await;
    let words = format!("project batch-create p --from-file {}", file.display());
    run(&format!("http://{address}"), &words).await.succeeded();
    let (sent, received) =
        within(PATIENCE, "the end of the connection", passed).await.expect("it is passed on");
    assert!(sent < plain_bytes / 10 && received < plain_bytes / 10, "{sent} and {received} of {plain_bytes}");
    let request = milepost_proto::registry::v1::ListProjectsRequest {
        parent: "portfolios/p".to_owned(),
        page_size: 100,
        ..Default::default()
    };
    let read = client.projects().list_projects(request).await.expect("a list").into_inner();
    assert!(read.projects.len() == 100 && read.projects.iter().all(|project| project.purpose == purpose));
    let one = create_project("p", "one");
    Write::CreateProject(Box::new(one)).once(&client).await.expect("a small request is taken as it is");
}
