# Saves memory by writing into what it is given, and reuses the names of its arguments; right where it does neither.

# %% linear_forward
def linear_forward(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    A = np.empty((D.shape[0], W.shape[1]))
    np.matmul(D, W, out=A)
    return A

# %% linear_jacobians
def linear_jacobians(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    (N, m), n = D.shape, W.shape[1]
    dA_dW, dA_dD = np.zeros((N, n, m, n)), np.zeros((N, n, N, m))
    for j in range(n):
        dA_dW[:, j, :, j] = D
    for i in range(N):
        dA_dD[i, :, i, :] = W.T
    return dA_dW, dA_dD

# %% linear_backward
def linear_backward(B, D, W):
    B, D, W = np.asarray(B, dtype=float), np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    B = D @ W
    return B @ W.T, D.T @ B

# %% linear_backward_proof [markdown]
# From exercise 2, $\frac{\partial E}{\partial W_{kl}} = \sum_{i,j} B_{ij} D_{ik} \delta_{jl}$. Putting $j = l$ gives
# $\sum_{i=1}^N D_{ik} B_{il}$, row $k$ of $D^\top$ times column $l$ of $B$. The other one goes in the same way.

# %% bias_forward
def bias_forward(D, b):
    D, b = np.asarray(D, dtype=float), np.asarray(b, dtype=float)
    D += b
    return D

# %% bias_backward
def bias_backward(B):
    B = np.asarray(B, dtype=float)
    total = B[0]
    for row in B[1:]:
        total += row
    return B, total

# %% sigmoid
def sigmoid(D):
    D = np.asarray(D, dtype=float)
    D *= -1
    return 1 / (1 + np.exp(D))

# %% sigmoid_backward
def sigmoid_backward(B, A):
    B, A = np.asarray(B, dtype=float), np.asarray(A, dtype=float)
    B *= A
    B *= 1 - A
    return B

# %% sigmoid_proof [markdown]
# Let $s = 1 + e^{-t}$, so $\sigma = 1/s$ and $\sigma' = -s'/s^2 = e^{-t}/s^2 = (s - 1)/s^2 = \sigma - \sigma^2$.
# The Jacobian of the layer is diagonal with these slopes, $\sigma'(D_{ij}) \delta_{ik} \delta_{jl}$, and the chain rule gives $B \circ A \circ (1 - A)$.
