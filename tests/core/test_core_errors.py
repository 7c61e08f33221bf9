import inspect
import re

from shopkeeper.core import errors


def _classes() -> dict[str, type[errors.ShopkeeperError]]:
    found = inspect.getmembers(errors, inspect.isclass)
    return {name: cls for name, cls in found if issubclass(cls, errors.ShopkeeperError)}


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    drawn: list[str] = []
    stack: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([│├└─ ]*)([A-Z]\w+)( {2,}|$)", line)
        if not match:
            continue
        depth, name = len(match[1]), match[2]
        stack = [(d, n) for d, n in stack if d < depth]
        parent = stack[-1][1] if stack else "Exception"
        assert _classes()[name].__bases__[0].__name__ == parent
        stack.append((depth, name))
        drawn.append(name)
    assert set(drawn) == set(_classes())


def test_every_error_has_one_json_shape() -> None:
    error = errors.UnknownName("mapping", "onlin-retail", ["online-retail"], field="mapping")
    assert error.to_json() == {
        "error": {
            "code": "UnknownName",
            "message": "No mapping is named 'onlin-retail'.",
            "hint": "Did you mean 'online-retail'?",
            "field": "mapping",
            "retryable": False,
        }
    }
