# A course exercise on the layers, all of it right. The derivations have slips that the results survive: the sum over
# the inputs is bounded by n, a delta has stayed after its sum was ended, and a derivative is multiplied by deltas that it contains.

# %% linear_forward
def linear_forward(D, W):
    """Return A = D W, shape (N, n), for samples in the rows of D (N, m) and weights W (m, n)."""
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return D @ W

# %% linear_jacobians
def linear_jacobians(D, W):
    """Return (dA/dW (N, n, m, n), dA/dD (N, n, N, m)) of A = D W, for D (N, m) and W (m, n)."""
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    delta_jl = np.eye(W.shape[1])
    delta_ik = np.eye(D.shape[0])
    # D_ik delta_jl and delta_ik W_lj
    return np.einsum("ik,jl->ijkl", D, delta_jl), np.einsum("ik,lj->ijkl", delta_ik, W)

# %% linear_backward
def linear_backward(B, D, W):
    """Return (dE/dD (N, m), dE/dW (m, n)) for upstream B = dE/dA (N, n), D (N, m) and W (m, n)."""
    B, D, W = np.asarray(B, dtype=float), np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return B @ W.T, D.T @ B

# %% linear_backward_proof [markdown]
# **To show:** $\frac{\partial A_{ij}}{\partial W_{kl}} = D_{ik}\delta_{jl}$.
#
# $$
# \begin{aligned}
# \frac{\partial A_{ij}}{\partial W_{kl}}
# &= \frac{\partial}{\partial W_{kl}} \sum_{q=1}^n D_{iq} W_{qj} = \sum_{q=1}^n D_{iq} \frac{\partial W_{qj}}{\partial W_{kl}} \\
# &= \sum_{q=1}^n D_{iq}\,\delta_{qk}\,\delta_{jl} = D_{ik}\,\delta_{jl} \quad \square
# \end{aligned}
# $$
#
# **To show:** $\frac{\partial E}{\partial W_{kl}} = (D^\top B)_{kl}$.
#
# $$
# \begin{aligned}
# \frac{\partial E}{\partial W_{kl}}
# &= \sum_{i,j} \underbrace{\frac{\partial E}{\partial A_{ij}}}_{=B_{ij}} \frac{\partial A_{ij}}{\partial W_{kl}}
# = \sum_{i,j} B_{ij} D_{ik}\,\delta_{jl} \\
# &\overset{j=l}{=} \sum_i B_{il} D_{ik} = \sum_i D^\top_{ki} B_{il} = (D^\top B)_{kl} \quad \square
# \end{aligned}
# $$
#
# **To show:** $\frac{\partial A_{ij}}{\partial D_{kl}} = \delta_{ik} W_{lj}$.
#
# $$
# \begin{aligned}
# \frac{\partial A_{ij}}{\partial D_{kl}}
# &= \frac{\partial}{\partial D_{kl}} \sum_{q=1}^n D_{iq} W_{qj} = \sum_{q=1}^n \frac{\partial D_{iq}}{\partial D_{kl}} W_{qj} \\
# &= \sum_{q=1}^n \delta_{ik}\,\delta_{ql}\,W_{qj} = \delta_{ik}\,\delta_{ql}\,W_{lj} = \delta_{ik} W_{lj} \quad \square
# \end{aligned}
# $$
#
# **To show:** $\frac{\partial E}{\partial D_{kl}} = (B W^\top)_{kl}$.
#
# $$
# \begin{aligned}
# \frac{\partial E}{\partial D_{kl}}
# &= \sum_{i,j} \frac{\partial E}{\partial A_{ij}} \frac{\partial A_{ij}}{\partial D_{kl}} = \sum_{i,j} B_{ij} W_{lj}\,\delta_{ik} \\
# &\overset{i=k}{=} \sum_j B_{kj} W_{lj} = \sum_j B_{kj} W^\top_{jl} = (B W^\top)_{kl} \quad \square
# \end{aligned}
# $$

# %% bias_forward
def bias_forward(D, b):
    """Return A (N, n) with A_ij = D_ij + b_j, for D (N, n) and b (n,)."""
    D, b = np.asarray(D, dtype=float), np.asarray(b, dtype=float)
    return D + b

# %% bias_backward
def bias_backward(B):
    """Return (dE/dD (N, n), dE/db (n,)) for upstream B = dE/dA (N, n)."""
    B = np.asarray(B, dtype=float)
    # sum over i, j of B_ij delta_ik delta_jl = B_kl; sum over i, j of B_ij delta_kj = sum over i of B_ik
    return B, np.sum(B, axis=0)

# %% bias_proof [markdown]
# **To show:** $\frac{\partial A_{ij}}{\partial D_{kl}} = \delta_{ik}\delta_{jl}$.
#
# $$\frac{\partial A_{ij}}{\partial D_{kl}} = \frac{\partial (D_{ij} + \overset{=0}{b_j})}{\partial D_{kl}} = \delta_{ik}\,\delta_{jl} \quad \square$$
#
# **To show:** $\frac{\partial E}{\partial D_{kl}} = B_{kl}$.
#
# $$
# \frac{\partial E}{\partial D_{kl}} = \sum_{i,j} \frac{\partial E}{\partial A_{ij}} \frac{\partial A_{ij}}{\partial D_{kl}}
# = \sum_{i,j} B_{ij}\,\delta_{ik}\,\delta_{jl} \overset{i=k,\;j=l}{=} B_{kl} \quad \square
# $$
#
# **To show:** $\frac{\partial A_{ij}}{\partial b_k} = \delta_{kj}$.
#
# $$\frac{\partial A_{ij}}{\partial b_k} = \frac{\partial (D_{ij} + \overset{1 \text{ if } j=k}{b_j})}{\partial b_k} = \delta_{kj}$$
#
# **To show:** $\frac{\partial E}{\partial b_k} = \sum_i B_{ik}$.
#
# $$
# \frac{\partial E}{\partial b_k} = \sum_{i,j} \frac{\partial E}{\partial A_{ij}} \frac{\partial A_{ij}}{\partial b_k}
# = \sum_{i,j} B_{ij}\,\delta_{kj} \overset{j=k}{=} \sum_i B_{ik}
# $$

# %% sigmoid
def sigmoid(D):
    """Return 1 / (1 + exp(-D)) entry by entry, shape (N, n), finite for any finite D (N, n)."""
    D = np.asarray(D, dtype=float)
    return 1 / (1 + np.exp(-D))

# %% sigmoid_backward
def sigmoid_backward(B, A):
    """Return dE/dD (N, n) for upstream B = dE/dA (N, n) and the output A = sigmoid(D) (N, n)."""
    B, A = np.asarray(B, dtype=float), np.asarray(A, dtype=float)
    return B * A * (1 - A)

# %% sigmoid_proof [markdown]
# **To show:** $\sigma'(t) = \sigma(t)(1 - \sigma(t))$.
#
# $$
# \begin{aligned}
# \sigma'(t) &= \left(\frac{1}{1 + e^{-t}}\right)' = -\frac{1}{(1 + e^{-t})^2}(-e^{-t}) \\
# &= \frac{1}{1 + e^{-t}}\,\frac{e^{-t}}{1 + e^{-t}} = \sigma(t)(1 - \sigma(t)) \quad \square
# \end{aligned}
# $$
#
# **To show:** $\frac{\partial E}{\partial D_{kl}} = B_{kl} A_{kl} (1 - A_{kl})$.
#
# $$
# \begin{aligned}
# \frac{\partial E}{\partial D_{kl}}
# &= \sum_{i,j} \frac{\partial E}{\partial A_{ij}} \frac{\partial A_{ij}}{\partial D_{kl}}
# = \sum_{i,j} B_{ij} \frac{\partial \sigma(D_{ij})}{\partial D_{kl}}\,\delta_{ik}\,\delta_{jl} \\
# &\overset{i=k,\;j=l}{=} B_{kl}\,\sigma(D_{kl})(1 - \sigma(D_{kl})) = B_{kl} A_{kl} (1 - A_{kl}) \quad \square
# \end{aligned}
# $$
