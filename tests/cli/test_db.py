"""tercet db: the tuning database from outside, over records of format 1 (tests/golden)."""
import pathlib
import unittest

from support import Case

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/tuning-1.jsonl"
LINES = GOLDEN.read_text().splitlines()
FIRST, OLDER, STALE, GPU, LATER = range(5)


def digest(index):
    return LINES[index].rpartition('"digest":"')[2][:32]


class Database(Case):
    def setUp(self):
        super().setUp()
        self.db = self.path("user.jsonl")

    def fill(self, *indices, name="user.jsonl"):
        return self.write(name, "".join(LINES[index] + "\n" for index in indices))

    def db_json(self, *words, **environment):
        return self.passes("db", *words, "--json", **{"TERCET_DB": self.db, **environment}).json()

    def user_rows(self):
        return [row for row in self.db_json("list")["rows"] if row["origin"] == "user"]

    def test_nothing_there_is_nothing(self):
        object = self.db_json("list")
        self.assertEqual(object["file"], self.db)
        self.assertEqual((self.user_rows(), object["bad"]), ([], []))
        self.assertFalse(pathlib.Path(self.db).exists())

    def test_list_says_what_lookups_think_of_every_row(self):
        self.fill(FIRST, OLDER, STALE, GPU, LATER)
        rows = self.user_rows()
        self.assertEqual([row["digest"] for row in rows], [digest(index) for index in range(5)])
        self.assertEqual([row["line"] for row in rows], [1, 2, 3, 4, 5])
        generator = self.db_json("list")["generator"]
        for row in rows:
            if row["state"] != "superseded":
                age = row["generator"] - generator
                self.assertEqual(row["state"], "stale" if age < 0 else "later" if age > 0 else "current")
        self.assertEqual([row["state"] for row in rows].count("superseded"), 1)
        self.assertEqual(rows[OLDER]["state"], "superseded")
        self.assertAlmostEqual(rows[FIRST]["gain"], 1.1)
        self.assertIsNone(rows[GPU]["gain"])
        self.assertEqual(rows[FIRST]["class"], "bh 4, 8192 x 8192, kept 4.42 %")
        text = " ".join(self.passes("db", "list", TERCET_DB=self.db).out.split())  # columns are as wide as shipped rows make them
        for shown in [digest(FIRST)[:8], "sla_all sm_90a bf16 128/128 forward", "1.10 x", "superseded"]:
            self.assertIn(shown, text)

    def test_the_database_is_the_option_then_the_variable_then_the_data_directory(self):
        option = self.fill(FIRST, name="option.jsonl")
        self.assertEqual(self.db_json("list", "--db", option)["file"], option)
        data = {"TERCET_DB": "", "XDG_DATA_HOME": str(self.folder), "HOME": "/h"}
        self.assertEqual(self.db_json("list", **data)["file"], self.path("tercet/tuning.jsonl"))
        config = self.passes("config", "--json", **data).json()
        self.assertEqual(config["tuning_db"], self.path("tercet/tuning.jsonl"))
        self.refused("db", "merge", option, says="no tuning database is known; set TERCET_DB",
                     **{"TERCET_DB": "", "XDG_DATA_HOME": "", "HOME": ""})

    def test_show_prints_one_row(self):
        self.fill(FIRST, GPU)
        row = self.db_json("show", digest(GPU)[:6])["row"]
        self.assertEqual(row["schedules"], {"attend": "128 x 64, 3 stages", "aggregate": "bits"})
        self.assertEqual((row["driver"], row["nvrtc"], row["units"]), ("570.86.15", "12.8", 132))
        text = self.passes("db", "show", digest(GPU), TERCET_DB=self.db).out
        self.assertIn("attend: 128 x 64, 3 stages", text)
        self.assertIn("driver 570.86.15, NVRTC 12.8", text)
        self.refused("db", "show", "ffffffff", says="no row begins with 'ffffffff'", TERCET_DB=self.db)
        self.refused("db", "show", "8", says="several rows begin with '8'", TERCET_DB=self.db)
        self.refused("db", "show", says="show needs the first digits", TERCET_DB=self.db)

    def test_merge_takes_the_rows_of_files(self):
        self.fill(OLDER)
        a, b = self.fill(FIRST, STALE, name="a.jsonl"), self.fill(GPU, LATER, name="b.jsonl")
        counts = self.db_json("merge", a, b)
        self.assertEqual((counts["added"], counts["replaced"], counts["records"]), (4, 1, 4))
        merged = pathlib.Path(self.db).read_bytes()
        self.assertEqual({row["digest"] for row in self.user_rows()}, {digest(i) for i in (FIRST, STALE, GPU, LATER)})
        again = self.db_json("merge", b, a, self.db)
        self.assertEqual((again["added"], again["replaced"], again["records"]), (0, 0, 4))
        other = self.path("other.jsonl")
        self.passes("db", "merge", b, "--db", other)
        self.passes("db", "merge", a, "--db", other)
        self.assertEqual((merged, pathlib.Path(other).read_bytes()), (pathlib.Path(self.db).read_bytes(),) * 2)
        self.refused("db", "merge", self.path("none.jsonl"), says="there is no such file", TERCET_DB=self.db)
        self.refused("db", "merge", self.folder, says="it is not a regular file", TERCET_DB=self.db)
        self.refused("db", "merge", says="merge needs the files", TERCET_DB=self.db)

    def test_a_bad_line_is_a_warning_with_its_place(self):
        damaged = LINES[GPU].replace("H200", "H100")
        self.write("user.jsonl", f"{LINES[FIRST]}\n{damaged}\n{LINES[STALE]}\n")
        outcome = self.passes("db", "list", "--json", TERCET_DB=self.db)
        self.assertEqual(outcome.err, f"tercet: warning: the tuning record is skipped: {self.db}:2: its digest does not match: "
                                      "it was damaged, or changed by hand\n")
        self.assertEqual([(bad["file"], bad["line"]) for bad in outcome.json()["bad"]], [(self.db, 2)])
        self.assertEqual(len(self.user_rows()), 2)
        outcome = self.passes("db", "merge", self.db, "--db", self.path("other.jsonl"))
        self.assertIn(f"the tuning record is left out: {self.db}:2: ", outcome.err)

    def test_prune_drops_what_no_lookup_prefers(self):
        self.fill(FIRST, OLDER, STALE, GPU, LATER)
        with open(self.db, "a") as file:
            file.write("noise\n")
        counts = self.db_json("prune")
        self.assertEqual((counts["bad"], counts["superseded"], counts["old"]), (1, 1, 0))
        self.assertGreaterEqual(counts["stale"], 1)
        self.assertIn(digest(LATER), [row["digest"] for row in self.user_rows()])
        counts = self.db_json("prune", "--before", "2026-11-30")
        self.assertEqual((counts["records"], self.user_rows()), (0, []))
        for words in [["prune", "--before", "yesterday"], ["list", "--before", "2026-11-30"]]:
            self.refused("db", *words, says="it goes with prune, and is a day such as 2026-11-29", TERCET_DB=self.db)

    def test_actions_and_words(self):
        self.refused("db", says="what to do with the tuning database is missing; legal are list, show, merge, prune")
        self.refused("db", "lst", says=["ACTION is 'lst'", "did you mean 'list'?"])
        self.refused("db", "list", "more", says="'more' is one word too many for 'tercet db list'")
        self.refused("db", "list", "--bd", "x", says=["no option '--bd'", "did you mean '--db'?"])


if __name__ == "__main__":
    unittest.main()
