#!/usr/bin/python3
"""Tests of the status page in a headless Chromium, against a server that plays scripted snapshots.

  tests/page/page_test.py                          # all cases
  tests/page/page_test.py ConnectionTest           # those of a class, or Class.test_name

Needs Debian's chromium, chromium-driver, python3-selenium and libjs-chart.js. The last line is
"N passed, N failed".
"""

import pathlib
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from browser import Browser
from page_server import ScriptedServer
from processes.signals import end_on_signals
from processes.waiting import wait_for
from snapshots import BOUNDS, IDS, Story, change, histogram, lag

CHART_IDS = ["lag-chart", "traffic-chart", "commit-chart", "request-chart", "log-write-chart"]
MARKUP = "<img src=x onerror=\"window.injected=1\"><b>bold</b>"


class PageCase(unittest.TestCase):
    """A page that has shown the first snapshot of a story. Each case ends with a look at the console
    and at the addresses that the page asked for."""

    browser = None          # of all cases
    console_may_say = None  # what cases that break the connection expect there

    def setUp(self):
        self.story = Story()
        self.server = ScriptedServer(self.story.snapshot())
        self.addCleanup(self.server.stop)
        self.browser.set_size(1280, 900)
        self.browser.set_media(prefers_color_scheme="light", prefers_reduced_motion="reduce")
        self.browser.open(self.server.url)
        self.see("#connection", "● Live")

    def tearDown(self):
        said = [line for line in self.browser.take_console()
                if not (self.console_may_say and self.console_may_say in line)]
        self.assertEqual(said, [], "the console is silent")
        foreign = [url for url in self.browser.take_requests() if not url.startswith(f"{self.server.url}/")]
        self.assertEqual(foreign, [], "no other host is asked")

    def play(self, seconds=1):
        """Publishes the next snapshot of the story, and waits until the page has it."""
        snapshot = self.story.snapshot(seconds)
        self.server.publish(snapshot)
        self.wait_for_time(snapshot["time_ms"])

    def wait_for_time(self, time_ms):
        wait_for(lambda: self.browser.run(
            "return Chart.getChart('traffic-chart').options.scales.x.max === arguments[0]", time_ms),
            "the page draws the snapshot")

    def see(self, selector, text):
        wait_for(lambda: text in self.browser.text(selector),
                 lambda: f"{text!r} at {selector}, which is {self.browser.text(selector)!r}")

    def cell(self, place, name):
        return self.browser.text(f"#member-rows tr[data-id='{IDS[place]}'] .{name}")

    def summary(self, chart):
        return self.browser.run("return document.getElementById(arguments[0]).getAttribute('aria-label')",
                                f"{chart}-chart")

    def announcement(self):
        return self.browser.run("return document.getElementById('announcement').textContent")

    def changes(self):
        return self.browser.texts("#change-rows tr")


class FiguresTest(PageCase):
    """The pure functions, called in the browser."""

    def call(self, name, *arguments):
        return self.browser.driver.execute_async_script("""
          const [name, parameters, done] = arguments;
          import('/figures.js').then((figures) => done(figures[name](...parameters)),
                                     (error) => done(`failed: ${error}`));""", name, list(arguments))

    def quantile(self, counts, part):
        return self.call("quantile", {"bounds": BOUNDS, "counts": histogram(counts)["counts"]}, part)

    def test_quantile_interpolates_in_its_bucket(self):
        self.assertAlmostEqual(self.quantile([0, 0, 10], 0.5), 0.000375)
        self.assertAlmostEqual(self.quantile([0, 0, 100], 0.99), 0.00025 + 0.99 * 0.00025)
        self.assertAlmostEqual(self.quantile([4], 0.25), BOUNDS[0] / 4)

    def test_quantile_goes_over_empty_buckets(self):
        self.assertAlmostEqual(self.quantile([50, 0, 0, 50], 0.5), BOUNDS[0])
        self.assertAlmostEqual(self.quantile([50, 0, 0, 50], 0.75), 0.00075)

    def test_quantile_of_nothing_is_not_known(self):
        self.assertIsNone(self.quantile([], 0.99))

    def test_quantile_beyond_the_last_bound_is_that_bound(self):
        self.assertAlmostEqual(self.quantile([*[0] * 17, 5], 0.5), BOUNDS[-1])

    def difference(self, before, after):
        return self.call("difference", before, after)

    def test_difference_adds_all_members(self):
        before = self.story.snapshot()
        for place in range(3):
            self.story.work(writes=1, requests=10, failed=2, place=place)
            self.story.observe("request", 4, 3, place)
        result = self.difference(before, self.story.snapshot(2))
        self.assertEqual((result["milliseconds"], result["writes"], result["requests"], result["failed"]),
                         (2000, 3, 30, 6))
        self.assertEqual(result["request"]["counts"], histogram([0, 0, 0, 0, 9])["counts"])

    def test_difference_leaves_out_a_member_that_restarted(self):
        for place in range(3):
            self.story.work(writes=100, requests=100, place=place)
        before = self.story.snapshot()
        self.story.status(2).update(requests_total=3, writes_applied_total=101)
        self.story.work(writes=5, requests=5)
        result = self.difference(before, self.story.snapshot())
        self.assertEqual((result["writes"], result["requests"]), (5, 5))

    def test_difference_knows_a_restart_by_the_histograms_too(self):
        self.story.observe("log_write", 2, 7, 1)
        before = self.story.snapshot()
        self.story.status(1)["log_write_durations"] = histogram([0, 0, 1, 9])
        self.story.work(writes=4, place=1)
        result = self.difference(before, self.story.snapshot())
        self.assertEqual((result["writes"], sum(result["log_write"]["counts"])), (0, 0))

    def test_difference_leaves_out_who_was_not_reachable(self):
        self.story.work(writes=1000, place=2)
        after = self.story.snapshot(2)
        self.story.lose(2)
        before = self.story.snapshot(-1)
        self.assertEqual(self.difference(before, after)["writes"], 0)

    def test_difference_needs_time(self):
        self.assertIsNone(self.difference(self.story.snapshot(), self.story.snapshot(0)))
        self.assertIsNone(self.difference(self.story.snapshot(), self.story.snapshot(-5)))

    def test_sum(self):
        before = self.story.snapshot()
        self.story.work(writes=3)
        self.story.observe("commit", 1, 2)
        one = self.difference(before, self.story.snapshot())
        result = self.call("sum", [one, one])
        self.assertEqual((result["milliseconds"], result["writes"]), (2000, 6))
        self.assertEqual(result["commit"]["counts"][:3], [0, 4, 0])
        self.assertIsNone(self.call("perSecond", 0, self.call("sum", [])["milliseconds"]))

    def test_texts(self):
        cases = [
            ("secondsText", 0, "0 s"), ("secondsText", 0.000251, "0.25 ms"), ("secondsText", 0.0123, "12.3 ms"),
            ("secondsText", 0.9996, "1.0 s"), ("secondsText", 59.97, "1 min"), ("secondsText", 200, "3 min 20 s"),
            ("secondsText", 7500, "2 h 5 min"), ("secondsText", 273600, "3 d 4 h"), ("secondsText", None, "–"),
            ("lagText", 0.04, "0.0 s"), ("lagText", 12.34, "12.3 s"), ("lagText", 86400, "1 d"),
            ("ageText", 0.2, "0 s ago"), ("ageText", 59.6, "1 min ago"),
            ("bytesText", 0, "0 B"), ("bytesText", 1023, "1,023 B"), ("bytesText", 1536, "1.5 KiB"),
            ("bytesText", 512 << 20, "512 MiB"), ("bytesText", 1 << 60, "1,048,576 TiB"),
            ("rateText", None, "–"), ("rateText", 0, "0/s"), ("rateText", 0.25, "0.3/s"),
            ("rateText", 12345, "12,345/s"),
            ("countText", 9007199254740991, "9,007,199,254,740,991"),
            ("withoutNumbers", "node2 is 12.5 s behind", "node# is # s behind"),
        ]
        for name, value, text in cases:
            with self.subTest(name=name, value=value):
                self.assertEqual(self.call(name, value), text)


class ContentTest(PageCase):
    """What the page shows of a snapshot."""

    def test_members(self):
        self.story[1]["lag"] = lag(entries=1, size=2048, seconds=0.5)
        self.story[2]["lag"] = lag(entries=1234, size=10 << 20, seconds=3.25, contact_age=1.5)
        self.play()
        self.assertEqual(self.cell(0, "member"), f"node1 {IDS[0]}")
        self.assertEqual(self.cell(1, "member"), f"node2 {IDS[1]} · this page")
        self.assertEqual([self.cell(i, "role") for i in range(3)], ["★ leader", "○ follower", "○ follower"])
        self.assertEqual(self.cell(0, "contact"), "✓ reachable")
        self.assertEqual(self.cell(2, "contact"), "✓ reachable heard 2 s ago")
        self.assertEqual([self.cell(i, "lag") for i in range(3)],
                         ["leads", "0.5 s 1 entry, 2.0 KiB", "3.3 s 1,234 entries, 10.0 MiB"])
        self.assertEqual([self.cell(0, name) for name in ("term", "commit", "revision", "data")],
                         ["7", "12,345 applied 12,344", "9,876", "5.0 MiB log 3.0 MiB"])

    def test_head(self):
        self.see("#headline", "node1 leads")
        self.assertEqual(self.browser.driver.title, "Pontoon: node1 leads")
        self.assertEqual(self.browser.text("#summary"),
                         "3 of 3 members reachable · term 7 · served by node2 · cluster ef37ad9dc622a7c4")
        self.assertEqual(self.browser.text("#problems"), "✓ No problems")

    def test_leader_change(self):
        self.story.lead(2)
        self.story.now["role_changes"].insert(0, change(0, "follower", 0.1, "heard of a higher term", 8, 2))
        self.play()
        self.see("#headline", "node3 leads")
        self.assertEqual(self.browser.driver.title, "Pontoon: node3 leads")
        self.assertEqual([self.cell(0, "role"), self.cell(2, "role")], ["○ follower", "★ leader"])
        self.assertRegex(self.changes()[0], r"^1 s ago 12:00:0\d node1 ○ follower of node3 8 heard of a higher term$")
        self.assertRegex(self.changes()[1], r"^1 s ago 12:00:0\d node3 ★ leader 8 won the election$")
        self.assertRegex(self.changes()[2], r"^1 h 2 min ago 10:57:5\d node1 ★ leader 7 won the election$")

    def test_no_leader(self):
        self.story.now.update(leader=None, problems=["no leader: writes wait"])
        for place in range(3):
            self.story.status(place).update(role="candidate", leader=None)
            self.story[place]["lag"] = None
        self.play()
        self.see("#headline", "No leader")
        self.assertEqual(self.browser.driver.title, "Pontoon: no leader")
        self.assertEqual(self.cell(1, "role"), "◇ candidate")
        self.assertEqual(self.cell(1, "lag"), "–")
        self.assertEqual(self.browser.text("#problems"), "▲ 1 problem no leader: writes wait")
        self.assertEqual(self.summary("lag"), "Lag behind the leader, now: nothing to show")

    def test_unreachable(self):
        self.story.lose(2, "connection refused")
        self.story[2]["lag"] = lag(entries=9, size=900, seconds=8, contact_age=None)
        self.play()
        self.assertEqual(self.cell(2, "contact"), "✕ unreachable connection refused")
        self.assertEqual(self.cell(2, "role"), "? unknown")
        self.assertEqual([self.cell(2, name) for name in ("term", "commit", "data")], ["–", "–", "–"])
        self.assertEqual(self.cell(2, "lag"), "8.0 s 9 entries, 900 B")
        self.see("#summary", "2 of 3 members reachable")

    def test_learner_that_gets_a_snapshot(self):
        self.story.add(name="node4", role="learner")
        self.story[3]["lag"] = lag(entries=50, size=3 << 30, seconds=754, contact_age=None, gets_snapshot=True)
        self.play()
        self.assertEqual(self.cell(3, "role"), "◌ learner")
        self.assertEqual(self.cell(3, "lag"), "12 min 34 s 50 entries, 3.0 GiB, gets a snapshot")
        self.assertEqual(self.cell(3, "contact"), "✓ reachable never heard by the leader")

    def test_huge_lag(self):
        self.story[1]["lag"] = lag(entries=1 << 53, size=1 << 53, seconds=31536000)
        self.play()
        self.assertEqual(self.cell(1, "lag"), "365 d 9,007,199,254,740,992 entries, 8,192 TiB")
        self.assertIn("node2 365 d", self.summary("lag"))
        self.assertEqual(self.browser.too_wide(), [])

    def test_member_without_name(self):
        self.story[0]["name"] = ""
        self.play()
        self.see("#headline", f"{IDS[0]} leads")
        self.assertEqual(self.cell(0, "member"), f"{IDS[0]} without a name")

    def test_markup_is_text(self):
        self.story[0]["name"] = self.story[1]["name"] = MARKUP
        self.story.lose(2, MARKUP)
        self.story.now["problems"] = [MARKUP]
        self.story.now["role_changes"] = [change(0, "leader", 1, MARKUP)]
        self.play()
        self.see("#headline", MARKUP)
        for selector in ("#member-rows .member", "#problem-list", "#change-rows", "#lag-chart + *, .legend"):
            self.see(selector, MARKUP)
        self.assertIn(MARKUP, self.cell(2, "contact"))
        self.assertEqual(self.browser.run("return document.querySelectorAll('body img, body li b b, td b').length"), 0)
        self.assertFalse(self.browser.run("return 'injected' in window"))

    def test_members_come_and_go(self):
        self.story.add(name="node4")
        self.play()
        self.assertEqual(len(self.browser.texts("#member-rows tr")), 4)
        del self.story.now["members"][2]
        self.play()
        self.assertEqual([text.split()[0] for text in self.browser.texts("#member-rows tr")],
                         ["node1", "node2", "node4"])

    def test_rows_stay_while_their_texts_change(self):
        self.browser.run("window.before = document.querySelector('#member-rows tr')")
        self.story.status(0)["revision"] = 10000
        self.play()
        self.assertEqual(self.cell(0, "revision"), "10,000")
        self.assertTrue(self.browser.run("return window.before === document.querySelector('#member-rows tr')"))

    def test_no_changes(self):
        self.story.now["role_changes"] = []
        self.play()
        self.see("#no-changes", "None is known.")
        self.assertEqual(self.changes(), [])

    def test_changes_keep_their_order(self):
        both = [change(1, "follower", 5.002, "heard of the leader"),
                change(2, "follower", 5.001, "heard of the leader")]
        self.story.now["role_changes"] = both
        self.play()
        before = [row.split()[4] for row in self.changes()]
        both[0]["age_seconds"], both[1]["age_seconds"] = 6.001, 6.003  # as told after another delay
        self.play()
        self.assertTrue(all(row.startswith("7 s ago") for row in self.changes()), self.changes())
        self.assertEqual([row.split()[4] for row in self.changes()], before)

    def test_only_the_newest_changes(self):
        self.story.now["role_changes"] = [change(0, "candidate", i, f"reason {i}") for i in range(50)]
        self.play()
        self.assertEqual(len(self.changes()), 20)
        self.assertTrue(self.changes()[0].endswith("reason 0"))


class ProblemsTest(PageCase):
    def test_shown_and_announced_until_gone(self):
        self.story.now["problems"] = ["node3 is unreachable", "node2 is 12.5 s behind"]
        self.play()
        self.see("#problems", "▲ 2 problems node3 is unreachable node2 is 12.5 s behind")
        self.assertEqual(self.announcement(), "Problems: node3 is unreachable. node2 is 12.5 s behind")
        self.story.now["problems"] = []
        self.play()
        self.see("#problems", "✓ No problems")
        self.assertEqual(self.announcement(), "No problems any more")

    def test_a_number_that_changes_is_not_announced_again(self):
        self.story.now["problems"] = ["node2 is 12.5 s behind"]
        self.play()
        self.story.now["problems"] = ["node2 is 13.5 s behind"]
        self.play()
        self.see("#problem-list", "node2 is 13.5 s behind")
        self.assertEqual(self.announcement(), "Problems: node2 is 12.5 s behind")

    def test_alert_role(self):
        self.assertEqual(self.browser.run("return document.getElementById('announcement').role"), "alert")


class ChartsTest(PageCase):
    def test_rates(self):
        for _ in range(5):
            self.story.work(writes=30, requests=100, failed=1)
            self.story.work(writes=12, requests=50, place=1)
            self.play(2)
        self.assertEqual(self.summary("traffic"), "Client traffic, now: writes 21/s, requests 75/s, failed 0.5/s")
        self.assertEqual(self.browser.texts(".chart-traffic .legend li"),
                         ["writes 21/s", "requests 75/s", "failed 0.5/s"])

    def test_rates_are_of_the_last_seconds(self):
        self.story.work(requests=100000)
        self.play()
        for _ in range(11):
            self.story.work(requests=20)
            self.play()
        self.assertIn("requests 20/s", self.summary("traffic"))

    def test_a_restart_is_no_negative_rate(self):
        self.story.work(writes=500, requests=1000)
        self.play()
        self.story.status(0).update(writes_applied_total=0, requests_total=0)
        self.play()
        self.assertEqual(self.summary("traffic"), "Client traffic, now: writes 250/s, requests 500/s, failed 0/s")

    def test_latencies(self):
        self.story.observe("commit", 4, 100)
        self.story.observe("request", 6, 50, 1)
        self.story.observe("request", 8, 50, 2)
        self.story.observe("log_write", 0, 100, 1)
        self.play()
        self.assertEqual(self.summary("commit"), "Commit latency, now: p50 1.5 ms, p99 2.0 ms")
        self.assertEqual(self.summary("request"), "Request latency, now: p50 8.0 ms, p99 31.7 ms")
        self.assertEqual(self.summary("log-write"), "Log write latency, now: p50 0.06 ms, p99 0.12 ms")

    def test_lag_of_each_follower(self):
        self.story[1]["lag"] = lag(seconds=0.2)
        self.story[2]["lag"] = lag(seconds=65)
        self.play()
        self.assertEqual(self.summary("lag"), "Lag behind the leader, now: node2 0.2 s, node3 1 min 5 s")
        points = self.browser.run("return Chart.getChart('lag-chart').data.datasets.map((d) => d.data.map((p) => p.y))")
        self.assertEqual(points, [[0, 0.2], [0, 65]])

    def test_lines_differ_by_more_than_colour(self):
        lines = self.browser.run("""
          return Chart.getChart('traffic-chart').data.datasets.map((d) => [d.borderColor, d.borderDash.join()])""")
        self.assertEqual(len({colour for colour, _ in lines}), 3)
        self.assertEqual(len({dash for _, dash in lines}), 3)

    def test_old_points_go(self):
        for _ in range(20):
            self.play(60)
        count = self.browser.run("return Chart.getChart('traffic-chart').data.datasets[0].data.length")
        self.assertEqual(count, 16)

    def test_a_clock_that_is_set_back(self):
        self.play(10)
        self.play(-3600)
        self.play(1)
        count = self.browser.run("return Chart.getChart('traffic-chart').data.datasets[0].data.length")
        self.assertEqual(count, 2)

    def test_without_chart_js(self):
        self.browser.cdp("Network.enable")
        self.browser.cdp("Network.setBlockedURLs", urls=["*/chart.js"])
        self.addCleanup(self.browser.cdp, "Network.setBlockedURLs", urls=[])
        self.console_may_say = "ERR_BLOCKED"
        self.browser.open(self.server.url)
        self.see("#headline", "node1 leads")
        self.see(".chart-traffic .legend", "writes")


class ConnectionTest(PageCase):
    def test_lost_and_found(self):
        self.console_may_say = "ERR_"
        self.server.stop()
        self.see("#connection", "✕ Connection lost, retrying")
        self.see("#problems", "▲ 1 problem Connection to node2 lost at ")
        self.see("#headline", "node1 leads, as far as known")
        self.assertEqual(self.browser.driver.title, "Pontoon: connection lost")
        self.assertIn("Connection to node2 lost", self.announcement())
        self.story.lead(2)
        self.server.start()
        self.server.publish(self.story.snapshot(30))
        self.see("#connection", "● Live")
        self.see("#headline", "node3 leads")
        self.see("#problems", "✓ No problems")
        self.play()

    def test_too_many_watchers(self):
        self.console_may_say = "503"
        self.server.refuse_streams(True)
        self.browser.open(self.server.url)
        self.see("#connection", "◐ Live, every 2 s")
        self.see("#headline", "node1 leads")
        self.story.lead(1)
        self.server.publish(self.story.snapshot())
        self.see("#headline", "node2 leads")
        asked = self.server.streams
        self.server.refuse_streams(False)
        # The next attempt comes after 20 seconds, which the page is made to believe have passed.
        self.browser.run("const now = Date.now; Date.now = () => now() + 20000;")
        self.see("#connection", "● Live")
        self.assertEqual(self.server.streams, asked + 1)
        self.play()

    def test_a_silent_stream_is_given_up(self):
        self.server.silence_streams(True)
        self.see("#connection", "◐ Live, every 2 s")
        self.server.silence_streams(False)
        self.see("#connection", "● Live")

    def test_status_is_a_live_region(self):
        self.assertEqual(self.browser.run("return document.getElementById('connection').role"), "status")


class ControlsTest(PageCase):
    def press(self, keys):
        self.browser.driver.switch_to.active_element.send_keys(keys)

    def window_minutes(self):
        return self.browser.run("""
          const { min, max } = Chart.getChart('lag-chart').options.scales.x;
          return (max - min) / 60000;""")

    def tab_through(self):
        """What Tab reaches from the top, until it leaves the page: texts, and whether focus is seen."""
        self.browser.run("document.activeElement.blur(); window.scrollTo(0, 0)")
        reached = []
        for _ in range(20):
            self.browser.driver.switch_to.active_element.send_keys("\ue004")
            one = self.browser.run("""
              const one = document.activeElement;
              if (one === document.body) return null;
              const seen = one.matches('input') ? one.nextElementSibling : one;
              const style = getComputedStyle(seen);
              return [seen.textContent, style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth)];""")
            if one is None or [one] == reached[:1]:
                return reached
            reached.append(one)
        raise AssertionError(f"no end: {reached}")

    def test_keyboard_reaches_all(self):
        reached = self.tab_through()
        self.assertEqual([text for text, _ in reached], ["5 min", "Pause", "Metrics", "Readiness", "JSON"])
        for text, outline in reached:
            self.assertGreaterEqual(outline, 2, f"the focus is seen at {text}")

    def test_keyboard_chooses_the_window(self):
        self.assertEqual(self.window_minutes(), 5)
        self.browser.run("document.querySelector('input[name=window]:checked').focus()")
        self.press("\ue014")
        self.assertEqual(self.window_minutes(), 15)
        self.press("\ue012\ue012")
        self.assertEqual(self.window_minutes(), 1)
        self.play()
        self.assertEqual(self.window_minutes(), 1)

    def test_keyboard_pauses(self):
        self.browser.run("document.getElementById('pause').focus()")
        self.press(" ")
        self.see("#pause", "Resume")
        self.see("#connection", "● Live, display paused")
        self.see("#held", "are held as they were at 12:00:0")
        self.story.lead(1)
        self.story.status(1)["revision"] = 1
        self.story.now["problems"] = ["something"]
        snapshot = self.story.snapshot()
        self.server.publish(snapshot)
        self.see("#problems", "something")
        self.see("#headline", "node2 leads")
        self.assertEqual(self.cell(1, "revision"), "9,876")
        self.press(" ")
        self.see("#pause", "Pause")
        self.wait_for_time(snapshot["time_ms"])
        self.assertEqual(self.cell(1, "revision"), "1")
        points = self.browser.run("return Chart.getChart('traffic-chart').data.datasets[0].data.length")
        self.assertEqual(points, 2, "what came meanwhile is there")


class AppearanceTest(PageCase):
    def make_it_hard(self):
        """All that makes the page large."""
        self.story.add(name="n" * 120)
        self.story[3]["lag"] = lag(1 << 40, 1 << 50, 31536000, None, True)
        self.story.lose(2, "failed to connect to all addresses; last error: " + "x" * 200)
        self.story.status(0).update(commit_index=1 << 40, applied_index=1 << 40, revision=1 << 40, term=1 << 20)
        self.story.now["problems"] = ["y" * 300, "no quorum of members is reachable"]
        self.story.now["role_changes"].insert(0, change(3, "candidate", 3, "z" * 200, 1 << 20))
        self.play()

    def test_fits_every_width(self):
        self.make_it_hard()
        for width in (320, 360, 640, 768, 960, 961, 1216, 1217, 1280, 1920):
            with self.subTest(width=width):
                self.browser.set_size(width, 740, mobile=width < 800)
                wait_for(lambda width=width: self.browser.run("return document.documentElement.clientWidth") == width,
                         "the width")
                # Charts follow the width in a later frame.
                wait_for(lambda: not self.browser.too_wide(), lambda: f"room for {self.browser.too_wide()}")

    def test_everything_has_a_name(self):
        self.make_it_hard()
        tree = self.browser.accessible()
        kinds = {"button", "radio", "link", "image", "table", "radiogroup", "group", "columnheader", "rowheader",
                 "heading", "region", "navigation"}
        self.assertEqual([role for role, name in tree if role in kinds and not name.strip()], [])
        names = {role: [name for one, name in tree if one == role] for role in kinds}
        self.assertEqual(names["radio"], ["1 min", "5 min", "15 min"])
        self.assertEqual(names["button"], ["Pause"])
        self.assertEqual(len(names["image"]), len(CHART_IDS))
        self.assertIn("Time window of the charts", names["group"] + names["radiogroup"])

    def test_phones_keep_the_tables_meaning(self):
        self.browser.set_size(360, 740, mobile=True)
        roles = [role for role, _ in self.browser.accessible()]
        self.assertEqual(roles.count("table"), 2)
        self.assertEqual(roles.count("rowheader"), 4)

    def test_contrast(self):
        self.make_it_hard()
        for theme in ("light", "dark"):
            for connection in ("● Live", "✕ Connection lost"):
                with self.subTest(theme=theme, connection=connection):
                    self.browser.set_media(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
                    if connection != "● Live":
                        self.console_may_say = "ERR_"
                        self.server.stop()
                    else:
                        self.server.start_if_stopped()
                    self.see("#connection", connection)
                    count, found = self.browser.low_contrast()
                    self.assertGreater(count, 60)
                    self.assertEqual(found, [])

    def colours(self):
        return self.browser.run("""
          const lag = Chart.getChart('lag-chart');
          return [getComputedStyle(document.body).backgroundColor, lag.data.datasets[0].borderColor,
                  lag.options.scales.x.ticks.color, lag.options.scales.y.grid.color];""")

    def test_theme_changes_live(self):
        light = self.colours()
        self.browser.set_media(prefers_color_scheme="dark")
        dark = wait_for(lambda: self.colours() if not set(self.colours()) & set(light) else None, "a dark page")
        self.browser.set_media(prefers_color_scheme="light")
        wait_for(lambda: self.colours() == light, "a light page")
        self.assertEqual(len(dark), 4)

    def test_reduced_motion(self):
        script = "return getComputedStyle(document.getElementById('pause')).transitionDuration"
        self.assertEqual(self.browser.run(script), "0s")
        self.browser.set_media(prefers_reduced_motion="no-preference")
        self.assertNotEqual(self.browser.run(script), "0s")
        self.assertEqual(self.browser.run("return Chart.getChart('lag-chart').options.animation"), False)


class WatchfulnessTest(PageCase):
    """That the tests would see what they say is not there."""

    def test_policy_and_requests_are_watched(self):
        self.browser.run("""
          const image = new Image();
          image.src = 'http://192.0.2.1/other-host.png';
          document.body.append(image);""")
        wait_for(lambda: any("Content Security Policy" in line for line in self.browser.take_console()), "a violation")
        self.browser.take_requests()

    def test_contrast_and_width_are_watched(self):
        self.browser.run("""
          document.getElementById('summary').style.color = '#bbb';
          document.getElementById('summary').style.width = '2000px';""")
        self.assertEqual(len(self.browser.low_contrast()[1]), 1)
        self.assertIn("the page", self.browser.too_wide())


def main():
    end_on_signals()
    try:
        with Browser() as browser:
            PageCase.browser = browser
            result = unittest.main(verbosity=2, exit=False, catchbreak=False).result
    except KeyboardInterrupt:
        print("interrupted")
        return 1
    bad = {case.id().split(" ")[0] for case, _ in result.failures + result.errors
           if not hasattr(case, "test_case")}
    bad |= {case.test_case.id() for case, _ in result.failures + result.errors if hasattr(case, "test_case")}
    print(f"{result.testsRun - len(bad)} passed, {len(bad)} failed")
    return 1 if bad or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
