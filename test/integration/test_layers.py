"""test/layers finds each violation that it is there for."""

import pathlib
import subprocess

import pytest

LAYERS = pathlib.Path(__file__).resolve().parents[1] / "layers"

TABLE = """
## Layers

| layer | may include |
| --- | --- |
| `main.c` | `flow` `base` |
| `flow` | everything below; other flows, without circles |
| `store` | `base` |
| `base` | |

## Another section
"""


@pytest.fixture
def house(tmp_path):
    """Writes a file of a small house that has nothing to object to; check() lists the violations."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def check():
        run = subprocess.run([LAYERS, tmp_path], capture_output=True, text=True, check=False)
        assert run.returncode == (0 if "as ARCHITECTURE.md says" in run.stdout else 1), run.stderr
        return run.stdout

    write.check = check
    write("ARCHITECTURE.md", TABLE)
    write("src/main.c", '#include "flow/apply.h"\n')
    for layer, file in (("flow", "apply"), ("store", "rows"), ("base", "error")):
        write(f"src/{layer}/meson.build", f"library_sources += files('{file}.c')\n")
        write(f"src/{layer}/{file}.c", f'#include "{layer}/{file}.h"\n')
        write(f"src/{layer}/{file}.h", "")
    write("src/flow/apply.c", '#include "store/rows.h"\n#include <stdio.h>\n')
    return write


def test_a_tidy_house_passes(house):
    assert house.check() == "the layers are as ARCHITECTURE.md says\n"


def test_a_layer_may_not_look_up(house):
    house("src/base/error.c", '\n#include "store/rows.h"\n')
    assert house.check() == "src/base/error.c:2: base may not include store/rows.h\n"


def test_an_include_in_a_comment_is_none(house):
    house("src/base/error.c", '/*\n#include "store/rows.h"\n*/\n')
    assert "as ARCHITECTURE.md says" in house.check()


def test_an_include_names_its_folder(house):
    house("src/base/error.c", '#include "error.h"\n')
    assert "without its folder" in house.check()


def test_a_folder_needs_a_row(house):
    house("src/extra/meson.build", "")
    assert house.check() == "ARCHITECTURE.md: src/extra has no row in the table of layers\n"


def test_a_row_needs_a_folder(house):
    house("ARCHITECTURE.md", TABLE.replace("| `base` |", "| `pg` | `base` |\n| `base` |"))
    assert "names the layer pg" in house.check()


def test_flows_go_in_no_circles(house):
    house("src/flow/meson.build", "files('apply.c', 'copy.c')")
    house("src/flow/copy.h", "")
    house("src/flow/copy.c", '#include "flow/apply.h"\n')
    assert "as ARCHITECTURE.md says" in house.check()
    house("src/flow/apply.h", '#include "flow/copy.h"\n')
    assert "circle: apply → copy → apply" in house.check()


def test_a_file_is_named_in_its_meson_build(house):
    house("src/store/forgotten.c", "")
    assert house.check() == "src/store/forgotten.c: is not named in src/store/meson.build\n"


def test_a_unit_test_is_in_the_list(house):
    house("test/unit/meson.build", "unit_tests = ['error']")
    house("test/unit/test_error.c", "")
    assert "as ARCHITECTURE.md says" in house.check()
    house("test/unit/test_rows.c", "")
    assert "test/unit/test_rows.c: is not named" in house.check()


def test_a_long_query_has_its_own_file(house):
    house("src/store/rows.c", 'const char *q = "SELECT a, b "\n    "FROM items";\n')
    assert house.check() == "src/store/rows.c:1: a query longer than a line belongs into a .sql file\n"
    house("src/store/rows.c", 'q = "SELECT 1 FROM items";\nm = "could not update "\n    "the rows from here";\n')
    assert "as ARCHITECTURE.md says" in house.check()


def test_the_layers_below_are_silent(house):
    house("src/store/rows.c", 'void f(void) { log_printf("x"); puts("printf("); }\n')
    assert house.check() == "src/store/rows.c:1: puts(): the layers below neither print nor exit\n"


def test_a_file_has_a_name(house):
    house("src/store/rows_utils.h", "")
    assert "not having decided" in house.check()


def test_no_path_of_a_machine(house):
    house("src/store/rows.c", 'const char *p = "/home/ana/x";\n')
    assert "a path of somebody's machine" in house.check()


def test_the_document_names_what_is_there(house):
    house("src/store/rows.c", '#include "store/rows.h"\n\nbool\nput_rows(void)\n{\n}\n')
    house("ARCHITECTURE.md", TABLE + "`put_rows()` in `store/rows.c`, then `base->error()`, `take_rows()` in `store/row.c`\n")
    assert house.check() == (
        "ARCHITECTURE.md:12: there is no base->error()\n"
        "ARCHITECTURE.md:12: there is no take_rows()\n"
        "ARCHITECTURE.md:12: there is no store/row.c\n"
    )
