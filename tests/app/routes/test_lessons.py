"""Lessons over HTTP: the list, one lesson, the glossary."""

from tests.app.harness import LabServer


def test_the_list_and_each_lesson(server: LabServer) -> None:
    listed = server.client.get("/api/lessons").json()
    assert [lesson["order"] for lesson in listed] == sorted(lesson["order"] for lesson in listed)
    assert {"name", "title", "minutes", "summary", "own", "pages"} <= listed[0].keys()
    for info in listed:
        answer = server.client.get(f"/api/lessons/{info['name']}").json()
        assert answer["title"] == info["title"]
        assert len(answer["content"]) == info["pages"]
        assert any(page["scene"] for page in answer["content"])


def test_a_lesson_that_is_not_there(server: LabServer) -> None:
    answer = server.client.get("/api/lessons/curvature-win")
    assert answer.status_code == 404
    assert "did you mean 'curvature-wins'?" in answer.json()["detail"]


def test_the_glossary(server: LabServer) -> None:
    terms = {term["name"]: term for term in server.client.get("/api/glossary").json()}
    assert terms["Hessian"]["symbol"] == "H"
