"""Makes many stored workloads out of one that really ran: same columns, new ids, labels and titles."""

import secrets
import sqlite3
import time

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def fill(database, count):
    """Copies the newest ended workload, of a Portico that is not running, until there are `count` rows."""
    connection = sqlite3.connect(database)
    with connection:
        row = connection.execute("SELECT id FROM workload WHERE ended IS NOT NULL ORDER BY id DESC").fetchone()
        have = connection.execute("SELECT count(*) FROM workload").fetchone()[0]
        now = int(time.time() * 1000)
        for number in range(count - have):
            copy(connection, row[0], number, now - 1000 * (count - number))
    connection.close()


def copy(connection, template, number, created):
    old = connection.execute("SELECT label, title FROM workload WHERE id = ?", (template,)).fetchone()
    new = {"id": new_id(created), "label": "w" + secrets.token_hex(10), "title": f"{old[1]} {number}"}
    searched = connection.execute("SELECT search FROM workload WHERE id = ?", (template,)).fetchone()[0]
    new["search"] = searched.replace(old[0], new["label"]).replace(old[1].lower(), new["title"].lower())
    new |= {"created": created, "changed": created + 500, "ended": created + 500}
    duplicate(connection, "workload", "id", template, new)
    for table in ("workload_spec", "event"):
        duplicate(connection, table, "workload_id", template, {"workload_id": new["id"]})


def duplicate(connection, table, key, value, changed):
    """Inserts the rows of `value` again, with some columns changed."""
    columns = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
    chosen = [f":{column}" if column in changed else column for column in columns]
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(chosen)} FROM {table} WHERE {key} = :template_",
        changed | {"template_": value},
    )


def new_id(millis):
    """48 bits of milliseconds and 80 random ones, as 26 characters of Crockford's base32."""
    bits = (millis << 80) | secrets.randbits(80)
    return "".join(DIGITS[(bits >> (5 * digit)) & 31] for digit in reversed(range(26)))
