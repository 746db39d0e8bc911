import torch

from newton_core.algorithms.gaussian_smoothing import smoothed_gradient, smoothed_hessian


def test_a_quadratic_keeps_its_derivatives() -> None:
    """E f(y + sigma eps) of f = z^T Q z / 2 + b^T z has the gradient Q y + b and the Hessian Q."""
    generator = torch.Generator().manual_seed(0)
    m, copies, samples, sigma = 3, 64, 4000, 0.7
    Q = torch.randn(m, m, generator=generator, dtype=torch.float64)
    Q = Q + Q.mT
    b = torch.randn(m, generator=generator, dtype=torch.float64)
    y = torch.randn(m, generator=generator, dtype=torch.float64)

    def f(z):
        return ((z @ Q) * z).sum(dim=-1) / 2 + z @ b

    noise = torch.randn(copies, samples, m, generator=generator, dtype=torch.float64)
    values = f(y + sigma * noise)
    for estimate, exact in (
        (smoothed_gradient(values - f(y), noise, sigma), Q @ y + b),
        (smoothed_hessian(values - f(y), noise, sigma).each(), Q),
        (smoothed_gradient(values, noise, sigma), Q @ y + b),
        (smoothed_hessian(values, noise, sigma).each(), Q),
    ):
        error = estimate.std(dim=0) / copies**0.5
        assert ((estimate.mean(dim=0) - exact).abs() < 4.5 * error).all()
        assert error.max() < 0.1


def test_the_baseline_cuts_the_variance() -> None:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(500, 10, 4, generator=generator, dtype=torch.float64)
    values = 10 + noise.sum(dim=2)
    plain = smoothed_hessian(values, noise, 0.5).each().var(dim=0)
    centred = smoothed_hessian(values - 10, noise, 0.5).each().var(dim=0)
    assert (centred < plain / 5).all()


def test_equals_the_sums_over_samples() -> None:
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    values = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    gradient, hessian = torch.zeros(2, 3).double(), torch.zeros(2, 3, 3).double()
    for i in range(2):
        for f, eps in zip(values[i], noise[i], strict=True):
            gradient[i] += f * eps / 0.3 / 5
            hessian[i] += f * (torch.outer(eps, eps) - torch.eye(3)) / 0.3**2 / 5
    torch.testing.assert_close(smoothed_gradient(values, noise, 0.3), gradient)
    torch.testing.assert_close(smoothed_hessian(values, noise, 0.3).each(), hessian)
