"""Paths and queries."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.requests import read_options, read_path


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/pods", ("list", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces", ("list", "namespaces", "", "", "")),
        ("GET", "/api/v1/namespaces/demo", ("get", "namespaces", "", "demo", "")),
        ("PUT", "/api/v1/namespaces/demo/status", ("update", "namespaces", "", "demo", "status")),
        ("GET", "/api/v1/namespaces/demo/pods", ("list", "pods", "demo", "", "")),
        ("GET", "/api/v1/namespaces/demo/pods/web/log", ("get", "pods", "demo", "web", "log")),
        ("POST", "/apis/apps/v1/namespaces/demo/deployments", ("create", "deployments", "demo", "", "")),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/demo/deployments/web/scale",
            ("patch", "deployments", "demo", "web", "scale"),
        ),
        ("DELETE", "/apis/apps/v1/namespaces/demo/deployments", ("deletecollection", "deployments", "demo", "", "")),
    ],
)
def test_a_path_says_what_is_asked(method, path, expected):
    asked = read_path(method, path, watch=False)
    assert (asked.verb, asked.kind.plural, asked.namespace, asked.name, asked.part) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/apis/apps/v1",
        "/api/v1/gadgets",
        "/apis/apps/v2/deployments",
        "/api/v1/namespaces/demo/nodes",
        "/api/v1/namespaces/demo/pods/web/nothing",
        "/api/v1/namespaces/demo/pods/web/log/more",
    ],
)
def test_a_path_of_nothing_served_is_none(path):
    assert read_path("GET", path, watch=False) is None


def test_a_list_that_watches_is_a_watch():
    asked = read_path("GET", "/api/v1/pods", watch=True)
    assert asked.verb == "watch"
    assert asked.resource == "pods"


def test_a_subresource_is_named_with_its_resource():
    assert read_path("GET", "/api/v1/namespaces/demo/pods/web/log", watch=False).resource == "pods/log"


def test_options_are_read_with_the_words_servers_accept():
    options = read_options(
        {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": "60",
            "limit": "5",
            "fieldSelector": "metadata.name=web",
        }
    )
    assert (options.watch, options.bookmarks, options.timeout, options.limit) == (True, True, 60.0, 5)
    assert options.selected_name == "web"
    assert read_options({"fieldSelector": "metadata.name!=web"}).selected_name == ""
    assert read_options({"watch": "false"}).watch is False
