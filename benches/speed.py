#!/usr/bin/env python3
"""Measures the shipped build (profile dist) on this machine: start-up time, idle memory, and N confirmations due at once.

    cargo build --profile dist --examples --bins && benches/speed.py [N] [--postgres URL]

Prints one line of JSON per measurement. Uses loopback only and stops every process that it starts.
"""
import datetime as dt, json, os, subprocess, sys, tempfile, time, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = f"{ROOT}/target/dist"
N = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20000
PG = sys.argv[sys.argv.index("--postgres") + 1] if "--postgres" in sys.argv else None
CENTRE = """code = "BRK"
name = "Birchfield Road"
short_name = "Birchfield"
timezone = "Europe/London"
phone = "020 7946 0101"
start = "sending"
[rules]
fee_pence = 4500
spacing_minutes = 0
max_texts_per_day = 0
[courtesy]
quiet_hours = []
weekday = { day = "day_before", time = "00:00" }
saturday = { day = "day_before", time = "00:00" }
sunday = { day = "day_before", time = "00:00" }
"""


def settings(folder, gateway, db):
    with open(f"{folder}/courtesy.toml", "w") as f:
        f.write(f'[database]\nurl = "{db}"\n[web]\nlisten = "127.0.0.1:0"\ndesk_listen = "127.0.0.1:0"\n[sms]\nbase_url = "{gateway}"\naccount_sid = "AC{"a" * 32}"\n'
                'auth_token = "t"\nfrom = "+15005550006"\nrate_per_second = 0\nmax_per_day = 0\n')


def courtesy(folder, *args, **kw):
    return subprocess.run([f"{BIN}/courtesy", "--config", f"{folder}/courtesy.toml", *args], check=True, cwd=folder, **kw)


def families(path, n):
    header = open(f"{ROOT}/tests/data/sample_centre.csv").readline()
    start = (dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=20)).strftime("%Y-%m-%d,%H")
    date, hour = start.split(",")
    with open(path, "w") as f:
        f.write(header)
        for i in range(n // 2):
            a, b = f"+4477{11000000 + 2 * i:08}", f"+4477{11000001 + 2 * i:08}"
            f.write(f"BRK,Birchfield Road,Europe/London,K-{i:05},no,1,{date},{hour}:00,{hour}:40,supported,4500,GBP,contact,Resident {i},{a},,sms,en,yes,,,Contact {i},{b},,sms,en,yes,,,,,,,booked,2026-11-01T00:00:00Z,\n")


def status(pid, key):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(key):
            return int(line.split()[1]) / 1024


def ready():
    times = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as d:
            settings(d, "http://127.0.0.1:9", f"sqlite://{d}/c.db")
            t0 = time.perf_counter()
            p = subprocess.Popen([f"{BIN}/courtesy", "--config", f"{d}/courtesy.toml", "serve"], cwd=d, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            url = p.stdout.readline().split()[-1]
            while True:
                try:
                    urllib.request.urlopen(url + "/readyz", timeout=1).read()
                    break
                except urllib.error.HTTPError:
                    time.sleep(0.001)
            times.append((time.perf_counter() - t0) * 1000)
            if len(times) == 5:
                time.sleep(8)
                idle = status(p.pid, "VmRSS")
            p.terminate()
            p.wait()
    print(json.dumps({"what": "ready on an empty database", "ms_median": round(sorted(times)[2], 1), "ms_all": [round(t, 1) for t in times], "idle_rss_mb": round(idle, 1)}), flush=True)


def send(run):
    gw = subprocess.Popen([f"{BIN}/examples/gateway"], stdout=subprocess.PIPE, text=True)
    gateway = gw.stdout.readline().strip()
    with tempfile.TemporaryDirectory() as d:
        db = PG or f"sqlite://{d}/c.db"
        settings(d, gateway, db)
        open(f"{d}/c.toml", "w").write(CENTRE)
        families(f"{d}/f.csv", N)
        courtesy(d, "centre", "apply", "c.toml", stdout=subprocess.DEVNULL)
        t0 = time.perf_counter()
        courtesy(d, "import", "f.csv", stdout=subprocess.DEVNULL)
        imported = time.perf_counter() - t0
        t0 = time.perf_counter()
        p = subprocess.Popen([f"{BIN}/courtesy", "--config", f"{d}/courtesy.toml", "worker", "--until-idle"], cwd=d, stderr=subprocess.DEVNULL)
        peak = 0
        while p.poll() is None:
            try:
                peak = max(peak, status(p.pid, "VmHWM") or 0)
            except (FileNotFoundError, ProcessLookupError, TypeError):
                pass
            time.sleep(0.01)
        seconds = time.perf_counter() - t0
        stats = json.loads(urllib.request.urlopen(gateway + "/_stats").read())
        out = courtesy(d, "list", "messages", "--json", capture_output=True, text=True).stdout.splitlines()
        recorded = sum('"state":"sent"' in line for line in out)
        print(json.dumps({"what": f"{N} confirmations due at once", "database": "postgres" if PG else "sqlite", "run": run, "seconds": round(seconds, 2), "per_second": round(N / seconds), "peak_rss_mb": round(peak, 1),
                          "import_seconds": round(imported, 2), "lost": N - stats["unique"], "doubled": stats["accepted"] - stats["unique"], "recorded": recorded, "rc": p.returncode}), flush=True)
    gw.terminate()
    gw.wait()


if __name__ == "__main__":
    if not PG:
        ready()
    for run in range(1 if PG else 3):
        send(run + 1)
