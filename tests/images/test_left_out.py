from zooscope.images.left_out import describe_left_out


def test_what_is_left_out_is_said_in_a_few_words() -> None:
    kinds = {f"files .{number}": 7 - number for number in range(7)}
    assert describe_left_out(kinds) == "files .0: 7, files .1: 6, files .2: 5, files .3: 4, files .4: 3, others: 3"
