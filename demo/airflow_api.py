"""The few calls of Airflow's REST API that the demo makes."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx

from demo.waiting import DemoError, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class AirflowApi:
    """Talk to one Airflow as one user.

    :param url: the api-server's address, such as `http://127.0.0.1:8080`.
    :param user: whom to sign in as, on the first call that needs it.
    :param password: that user's password.
    """

    def __init__(self, url: str, *, user: str, password: str) -> None:
        self.url = url
        self._sign_in = {"username": user, "password": password}
        # trust_env: a proxy or a CA bundle of the caller's shell has no business on loopback.
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def unhealthy(self) -> list[str]:
        """Return the components that are not (yet) healthy; all of them while the api-server does not answer."""
        try:
            answer = self._client.get("/api/v2/monitor/health", timeout=5)
        except httpx.TransportError:
            return ["api-server"]
        if answer.status_code != httpx.codes.OK:
            return ["api-server"]
        health = answer.json()
        return [name for name in COMPONENTS if (health.get(name) or {}).get("status") != "healthy"]

    def token(self) -> str:
        """Sign in and return a token; the UI takes it as cookie `_token`."""
        answer = self._client.post("/auth/token", json=self._sign_in)
        return str(_checked(answer)["access_token"])

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """Return the DAG, or None while the DAG processor has not brought it in; its import error is a DemoError."""
        answer = self._request("GET", f"/api/v2/dags/{quote(dag_id)}")
        if answer.status_code != httpx.codes.NOT_FOUND:
            return _checked(answer)
        errors = _checked(self._request("GET", "/api/v2/importErrors"))["import_errors"]
        if errors:
            text = "\n".join(f"{error['filename']}: {error['stack_trace']}" for error in errors)
            msg = f"Airflow cannot import DAG files:\n{text}"
            raise DemoError(msg)
        return None

    def unpause(self, dag_id: str) -> None:
        """Let the DAG run."""
        _checked(self._request("PATCH", f"/api/v2/dags/{quote(dag_id)}", json={"is_paused": False}))

    def trigger(
        self, dag_id: str, conf: Mapping[str, Any] | None = None, *, run_id: str | None = None, seconds: float = 30
    ) -> str:
        """Start a run of the DAG by hand and return its run id; ask again for so many seconds while Airflow fails."""
        # With an id of ours it can be asked for again: SQLite, when busy, makes Airflow answer with an error.
        body = {"dag_run_id": run_id or f"manual__{uuid.uuid4()}", "logical_date": None, "conf": dict(conf or {})}

        def ask() -> str | None:
            answer = self._request("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", json=body)
            if answer.is_server_error:
                return None
            if answer.status_code != httpx.codes.CONFLICT:
                _checked(answer)
            return str(body["dag_run_id"])

        return wait_for(ask, seconds=seconds, what=f"Airflow to start a run of {dag_id}", interval=1)

    def dag_run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return one run of the DAG."""
        return _checked(self._request("GET", _run_path(dag_id, run_id)))

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the run's task instances."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        return list(_checked(self._request("GET", path))["task_instances"])

    def mark_failed(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Mark a task instance failed, as a person does in the UI to end it."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}"
        _checked(self._request("PATCH", path, json={"new_state": "failed"}))

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """Return what the task has pushed, or None."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/xcomEntries/{quote(key)}"
        answer = self._request("GET", path, params={"deserialize": "true"})
        return None if answer.status_code == httpx.codes.NOT_FOUND else _checked(answer)["value"]

    def log_records(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[Any]:
        """Return the records of one try's task log, those of its trigger among them, as the UI shows them."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/logs/{try_number}"
        return list(_checked(self._request("GET", path, params={"full_content": "true"}))["content"])

    def asset_events(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the asset events that tasks of the DAG have emitted."""
        answer = self._request("GET", "/api/v2/assets/events", params={"source_dag_id": dag_id})
        return list(_checked(answer)["asset_events"])

    def post_asset_event(self, uri: str, extra: Mapping[str, Any]) -> None:
        """Say that an asset has been updated, as anything outside of Airflow may say it."""
        known = _checked(self._request("GET", "/api/v2/assets", params={"uri_pattern": uri}))["assets"]
        (asset_id,) = [asset["id"] for asset in known if asset["uri"] == uri]
        body = {"asset_id": asset_id, "extra": dict(extra)}
        _checked(self._request("POST", "/api/v2/assets/events", json=body))

    def dag_runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the DAG's runs."""
        return list(_checked(self._request("GET", f"/api/v2/dags/{quote(dag_id)}/dagRuns"))["dag_runs"])

    def connection_form(self, connection_type: str) -> dict[str, Any]:
        """Return what the UI knows of the form for a type of connection."""
        answer = self._request("GET", "/ui/connections/hook_meta")
        answer.raise_for_status()
        (form,) = [form for form in answer.json() if form["connection_type"] == connection_type]
        return dict(form)

    def extra_links(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str | None]:
        """Return the task instance's buttons by name, with where they lead."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/links"
        return dict(_checked(self._request("GET", path))["extra_links"])

    def test_connection(self, connection: Mapping[str, Any]) -> dict[str, Any]:
        """Return the `status` and `message` that the button for testing a connection would show."""
        body = {**connection, "connection_id": "tested", "extra": json.dumps(connection["extra"])}
        return _checked(self._request("POST", "/api/v2/connections/test", json=body))

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        if "Authorization" not in self._client.headers:
            self._client.headers["Authorization"] = f"Bearer {self.token()}"
        return self._client.request(method, path, **options)


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"


def _checked(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        request = answer.request
        msg = f"Airflow answered {answer.status_code} to {request.method} {request.url.path}: {answer.text[:500]}"
        raise DemoError(msg)
    return dict(answer.json())
