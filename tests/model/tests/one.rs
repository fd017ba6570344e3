//! tmp
use model::*;
#[test]
fn one() {
    let t = std::time::Instant::now();
    let mut w = World::new();
    eprintln!("new {:?}", t.elapsed());
    w.act(&Op::Send { target: None, after: None, priority: 5 });
    eprintln!("send {:?}", t.elapsed());
    w.act(&Op::Pass(1000));
    eprintln!("pass 1s {:?}", t.elapsed());
    w.act(&Op::Pass(10000));
    eprintln!("pass 10s {:?} typed {}", t.elapsed(), w.typed());
    w.settle();
    eprintln!("settle {:?}", t.elapsed());
}
