"""`ganvas about` and `ganvas cache`: this installation, and what it keeps."""

from ganvas.cli.flags import Switch

__all__ = ["about", "cache"]


def about(*, json: Switch = False) -> None:
    """Show this installation: versions, devices, cache, and what can be added and how.

    Parameters
    ----------
    json
        Print as JSON: all that was found.
    """
    from ganvas.api.about import print_about

    print_about(json)


def cache(*kinds: str, empty: Switch = False, json: Switch = False) -> None:
    """List what is kept between runs, or remove it: all of it is made or downloaded again.

    Parameters
    ----------
    kinds
        Which: packed, shards, shard-indexes, sizes, contact-sheets, references, classifiers,
        weights, runtimes, hub/models, hub/datasets, mnist, fashion-mnist or cifar10. Without it:
        all.
    empty
        Remove what is not in use. Files that Ganvas did not write stay.
    json
        Print as JSON: the entries.
    """
    from ganvas.api.cache import print_cache

    print_cache(kinds, empty, json)
