//! Logs as conmon writes them: appended to, truncated, replaced.

use std::io::Write;

use super::*;

const NAME: &str = "holm-notes.main";

fn write(directory: &Path, text: &str) {
    let path = directory.join(format!("{NAME}.log"));
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

async fn lines(receiver: &mut mpsc::Receiver<Vec<u8>>, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    while found.len() < count {
        found.push(String::from_utf8(receiver.recv().await.unwrap()).unwrap());
    }
    found
}

async fn all(directory: &Path, tail: u32) -> Vec<String> {
    let mut receiver = open(directory, NAME, false, tail).unwrap();
    let mut found = Vec::new();
    while let Some(line) = receiver.recv().await {
        found.push(String::from_utf8(line).unwrap());
    }
    found
}

#[tokio::test]
async fn the_last_lines() {
    let root = tempfile::tempdir().unwrap();
    assert!(all(root.path(), 5).await.is_empty());
    let mut text = String::new();
    for n in 0..5000 {
        text.push_str(&format!(
            "t{n} stdout P {}\nt{n} stdout F end {n}\n",
            "x".repeat(40)
        ));
    }
    write(root.path(), &text);
    assert!(all(root.path(), 0).await.is_empty());
    let last = all(root.path(), 3).await;
    assert_eq!(last.len(), 3);
    assert!(last[2].starts_with("t4999 stdout xxxx") && last[2].ends_with("end 4999\n"));
    for tail in [1300, 4999, 5000, 5001, u32::MAX] {
        let found = all(root.path(), tail).await;
        assert_eq!(found.len(), 5000.min(tail as usize));
        assert!(found.iter().all(|line| line.contains(&"x".repeat(40))));
    }
}

#[tokio::test]
async fn followed_over_truncation_and_rotation() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "t1 stdout F one\nt2 stdout F tw");
    let mut receiver = open(root.path(), NAME, true, 10).unwrap();
    assert_eq!(lines(&mut receiver, 1).await, ["t1 stdout one\n"]);
    write(root.path(), "o\nt3 stderr F three\n");
    assert_eq!(
        lines(&mut receiver, 2).await,
        ["t2 stdout two\n", "t3 stderr three\n"]
    );

    let path = root.path().join(format!("{NAME}.log"));
    fs::File::create(&path).unwrap();
    write(root.path(), "t4 stdout F four\n");
    assert_eq!(lines(&mut receiver, 1).await, ["t4 stdout four\n"]);

    let next = root.path().join("next");
    fs::write(&next, "t5 stdout F five\n").unwrap();
    fs::rename(&next, &path).unwrap();
    assert_eq!(lines(&mut receiver, 1).await, ["t5 stdout five\n"]);
    fs::remove_file(&path).unwrap();
    write(root.path(), "t6 stdout F six\n");
    assert_eq!(lines(&mut receiver, 1).await, ["t6 stdout six\n"]);
}

#[tokio::test]
async fn a_log_that_comes_later_and_a_name_that_is_none() {
    let root = tempfile::tempdir().unwrap();
    let mut receiver = open(root.path(), NAME, true, 10).unwrap();
    fs::write(root.path().join("holm-other.main.log"), "t0 stdout F other\n").unwrap();
    write(root.path(), "t1 stdout F one\n");
    assert_eq!(lines(&mut receiver, 1).await, ["t1 stdout one\n"]);
    for name in ["notes", "holm-../../etc/passwd", "holm-a/b", ""] {
        assert!(open(root.path(), name, false, 1).is_err(), "{name}");
    }
}
