"""Pictures that are computed at once, in the server's own process."""

from fastapi import APIRouter

from app.pictures.gradients import gradients
from app.pictures.surfaces import surfaces, three_numbers
from app.routes.common import PICTURE, PICTURE_RESPONSES

router = APIRouter(tags=["landscapes"], dependencies=[PICTURE], responses={**PICTURE_RESPONSES})
router.add_api_route("/api/surfaces", surfaces, methods=["POST"])
router.add_api_route("/api/three-numbers", three_numbers, methods=["POST"])
router.add_api_route("/api/gradients", gradients, methods=["POST"])
