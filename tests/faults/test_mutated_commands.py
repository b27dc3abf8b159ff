"""A fast share of the mutated command lines."""

from tests.faults.mutated_commands import LINES, mutations, outcomes


def test_a_mutated_command_line_ends_with_one_message_and_leaves_nothing() -> None:
    """A typing error would end in a traceback, or leave half an output under its final name."""
    found = list(outcomes(seed=7, number=60, fast=True))
    problems = [f"{outcome.line}\n{outcome.problem}" for outcome in found if outcome.problem]
    assert not problems, "\n\n".join(problems)
    assert {outcome.status for outcome in found} == {0, 2}


def test_the_lines_are_the_same_for_the_same_seed_and_have_all_commands() -> None:
    """A fault could not be found again, or a command would not be tested."""
    lines = list(mutations(3, 200))
    assert lines == list(mutations(3, 200)) != list(mutations(4, 200))
    assert {line[0] for line in lines} == {line.split()[0] for line in LINES}
