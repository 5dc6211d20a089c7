import pytest

from ingest.partition.number_formats import show


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (1234.5, "General", "1234.5"),
        (0.1 + 0.2, "General", "0.3"),
        (1234.5, "#,##0.00", "1,234.50"),
        (2.5, "0", "3"),
        (7, "00000", "00007"),
        (0.5, "#.##", ".5"),
        (0.1234, "0.0%", "12.3%"),
        (-1234.5, '#,##0.00 "€"', "-1,234.50 €"),
        (1234.5, "_-* #,##0.00\\ [$€-407]_-;\\-* #,##0.00\\ [$€-407]_-", "1,234.50 €"),
        (-1234.5, "$#,##0.00_);[Red]($#,##0.00)", "($1,234.50)"),
        (0, "#,##0;-#,##0;-", "-"),
        (0, "0;-0;;@", ""),
        (1234567, '0.0,,"M"', "1.2M"),
        (12345.678, "0.00E+00", "1.23E+04"),
        (1.75, "# ?/?", "1 3/4"),
        (123456789, "000-00-0000", "123-45-6789"),
        (-0.001, "0.00", "0.00"),
    ],
)
def test_a_number_is_shown_by_its_format(value, code, shown):
    assert show(value, code) == (shown, "number")


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (45000, "yyyy-mm-dd", "2023-03-15"),
        (45000.75, "d/m/yy h:mm AM/PM", "15/3/23 6:00 PM"),
        (45000.5, "dddd, mmmm d, yyyy", "Wednesday, March 15, 2023"),
        (1.5, "[h]:mm", "36:00"),
        (45000.123, "hh:mm:ss", "02:57:07"),
        (59, "yyyy-mm-dd", "1900-02-28"),
    ],
)
def test_a_day_or_time_is_shown_by_its_format(value, code, shown):
    assert show(value, code) == (shown, "date")


def test_days_of_old_macintosh_files_count_from_1904():
    assert show(0, "yyyy-mm-dd", from_1904=True)[0] == "1904-01-01"


def test_a_number_that_is_no_day_of_the_calendar_is_shown_as_it_is():
    assert show(-5, "yyyy-mm-dd") == ("-5", "number")


@pytest.mark.parametrize(
    "code", ["", ";", ";;;", '"', "[", "\\", "_", "0" * 5000, "#" * 200 + "." + "0" * 200, "[$", "E+0"]
)
def test_a_broken_format_still_shows_something_or_nothing(code):
    assert isinstance(show(12.5, code)[0], str)
